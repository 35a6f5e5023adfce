/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_kcp_crypt: packets of strangers at kcp-go's crypt header, several in a batch. An input is the
 * cipher, then packets: a byte that says how, a byte of length, and so many bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "crypt.h"

#define BATCH 24u
#define ROOM  64u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct packet {
	uint8_t *memory; /* of the packet's very length */
	uint32_t len;
	uint32_t bent; /* 0: a packet of our own, as it was sealed */
	uint32_t payload_len;
	uint8_t payload[256];
};

static void check(bool holds)
{
	if (!holds)
		abort();
}

/* A packet as the stranger sends it, or sealed by us and then perhaps bent. */
static void make(struct kcp_crypt *c, struct packet *p, uint32_t how, const uint8_t *data,
		 uint32_t len)
{
	uint8_t room[256 + 2 * ROOM];
	struct kcp_crypt_job j = {room + ROOM, len, 0};
	memcpy(j.data, data, len);
	memcpy(p->payload, data, len);
	p->payload_len = len;
	p->bent = how & 1u;
	if (p->bent == 0) {
		kcp_crypt_seal(c, &j, 1);
		check(j.verdict == KCP_CRYPT_OK);
		if ((how & 2u) != 0 && j.len > 0) {
			j.data[how % j.len] ^= (uint8_t)(how | 1u);
			p->bent = 1;
		}
	}
	p->len = j.len;
	p->memory = malloc(j.len + 1u);
	check(p->memory != NULL);
	memcpy(p->memory, j.data, j.len);
}

static void judge(const struct packet *p, const struct kcp_crypt_job *j,
		  const struct kcp_crypt_info *info)
{
	uint32_t overhead = info->headroom + info->tailroom;
	if (j->verdict == KCP_CRYPT_OK) {
		check(j->data == p->memory + info->headroom && j->len == p->len - overhead);
		/* nobody guesses a tag */
		check(p->bent == 0 || !info->authentic);
	} else {
		check(j->data == p->memory && j->len == p->len && p->bent != 0);
		check((j->verdict == KCP_CRYPT_SHORT) == (p->len < overhead));
	}
	if (p->bent == 0)
		check(j->len == p->payload_len && memcmp(j->data, p->payload, j->len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct kcp_crypt *crypts[KCP_CRYPT_KINDS];
	static const uint8_t key[KCP_KEY_LEN] = {1, 2, 3};
	static struct packet packets[BATCH];
	struct kcp_crypt_job jobs[BATCH];
	const char *why;
	uint32_t n = 0;

	if (size == 0)
		return 0;
	enum kcp_crypt_kind kind = (enum kcp_crypt_kind)(data[0] % KCP_CRYPT_KINDS);
	if (crypts[kind] == NULL)
		crypts[kind] = kcp_crypt_create(kind, key, &why);
	check(crypts[kind] != NULL);
	data++;
	size--;
	for (; n < BATCH && size >= 2; n++) {
		uint32_t how = data[0], len = data[1];
		data += 2;
		size -= 2;
		if (len > size)
			len = (uint32_t)size;
		make(crypts[kind], &packets[n], how, data, len);
		jobs[n] = (struct kcp_crypt_job){packets[n].memory, packets[n].len, 9};
		data += len;
		size -= len;
	}
	kcp_crypt_open(crypts[kind], jobs, n);
	for (uint32_t i = 0; i < n; i++) {
		judge(&packets[i], &jobs[i], kcp_crypt_info(kind));
		free(packets[i].memory);
	}
	return 0;
}
