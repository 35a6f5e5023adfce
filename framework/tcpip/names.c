/* SPDX-License-Identifier: BSD-2-Clause */
/* names: numbers to names and back, from the lists in tcpip.h. */
#include <string.h>
#include <vpncore/tcpip.h>

struct entry {
	uint16_t number;
	const char *name;
};

#define ENTRY(id, n, text) {n, text},
#define AT(id, n, text)    [n] = text,

static const struct entry ethertypes[] = {TCPIP_ETHERTYPE_LIST(ENTRY)};
static const char *const ipprotos[256] = {TCPIP_IPPROTO_LIST(AT)};
static const char *const icmp_types[256] = {TCPIP_ICMP_LIST(AT)};
static const char *const icmp6_types[256] = {TCPIP_ICMP6_LIST(AT)};

#define N_ETHERTYPES (sizeof(ethertypes) / sizeof(ethertypes[0]))

static char lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
}

/* Equal but for the case of ASCII letters, whatever the locale is. */
static bool same_name(const char *a, const char *b)
{
	while (*a && lower(*a) == lower(*b)) {
		a++;
		b++;
	}
	return *a == *b;
}

const char *tcpip_ethertype_name(uint16_t ethertype)
{
	for (size_t i = 0; i < N_ETHERTYPES; i++) {
		if (ethertypes[i].number == ethertype)
			return ethertypes[i].name;
	}
	return NULL;
}

int tcpip_ethertype_by_name(const char *name)
{
	for (size_t i = 0; i < N_ETHERTYPES; i++) {
		if (same_name(ethertypes[i].name, name))
			return ethertypes[i].number;
	}
	return -1;
}

const char *tcpip_ipproto_name(uint8_t protocol)
{
	return ipprotos[protocol];
}

int tcpip_ipproto_by_name(const char *name)
{
	for (int i = 0; i < 256; i++) {
		if (ipprotos[i] && same_name(ipprotos[i], name))
			return i;
	}
	return -1;
}

const char *tcpip_icmp_name(uint8_t type)
{
	return icmp_types[type];
}

const char *tcpip_icmp6_name(uint8_t type)
{
	return icmp6_types[type];
}
