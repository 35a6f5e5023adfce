/* SPDX-License-Identifier: BSD-2-Clause */
/* The rules of coalescing, one by one. */
#include "support.h"

#define SLOT 65600u

static uint8_t slots[16][SLOT], untouched[16][SLOT];
static struct tcpip_gro_item items[16];
static uint32_t n_items;
static struct tcpip_gro gro;

static const struct spec tcp = {.protocol = 6,
				.flags = 0x10,
				.payload_len = 1000,
				.seq = 5000,
				.ack = 7,
				.window = 100,
				.tcp_options = 12};
static const struct spec udp = {.protocol = 17, .payload_len = 1000};

static int start(void **state)
{
	(void)state;
	n_items = 0;
	return tcpip_gro_init(&gro, 0, 0);
}

static void add(const struct spec *s)
{
	struct tcpip_gro_item *item = &items[n_items];

	item->data = slots[n_items];
	item->len = (uint32_t)build(slots[n_items], s);
	item->flags = 0;
	n_items++;
}

/* TCP at a byte offset of the stream. */
static void add_tcp(uint32_t at, uint32_t len)
{
	struct spec s = tcp;

	s.seq += at;
	s.payload_len = len;
	s.payload_seed = at;
	add(&s);
}

static void add_udp(uint32_t len)
{
	struct spec s = udp;

	s.payload_len = len;
	add(&s);
}

static int run(void)
{
	memcpy(untouched, slots, sizeof(slots));
	return tcpip_gro_run(&gro, items, n_items);
}

static void assert_zero_vnet_header(const struct tcpip_gro_group *g)
{
	static const struct tcpip_vnet_hdr zero;

	assert_memory_equal(&g->vh, &zero, sizeof(zero));
}

/* All packets came out alone, in order, unchanged, with zero vnet headers. */
static void assert_nothing_merged(void)
{
	assert_int_equal(run(), n_items);
	for (uint32_t i = 0; i < n_items; i++) {
		assert_int_equal(gro.groups[i].n_items, 1);
		assert_int_equal(gro.groups[i].head, i);
		assert_int_equal(gro.groups[i].total_len, items[i].len);
		assert_zero_vnet_header(&gro.groups[i]);
		assert_memory_equal(slots[i], untouched[i], items[i].len);
	}
}

static void assert_merged(uint32_t group, uint32_t n, uint32_t gso_size)
{
	assert_true(group < gro.n_groups);
	assert_int_equal(gro.groups[group].n_items, n);
	assert_int_equal(gro.groups[group].vh.gso_size, n > 1 ? gso_size : 0);
}

static void two_tcp_segments_merge(void **state)
{
	const struct tcpip_gro_group *g = &gro.groups[0];
	struct tcpip_iov iov[2];
	struct spec whole = tcp;
	uint64_t acc;

	(void)state;
	whole.payload_len = 2000;
	add_tcp(0, 1000);
	add_tcp(1000, 1000);
	assert_int_equal(run(), 1);
	assert_int_equal(g->vh.flags, TCPIP_VNET_NEEDS_CSUM);
	assert_int_equal(g->vh.gso_type, TCPIP_VNET_GSO_TCPV4);
	assert_int_equal(g->vh.hdr_len, 52);
	assert_int_equal(g->vh.gso_size, 1000);
	assert_int_equal(g->vh.csum_start, 20);
	assert_int_equal(g->vh.csum_offset, 16);
	assert_int_equal(g->total_len, 2052);
	assert_int_equal(tcpip_gro_iov(&gro, g, iov, 1), 0);
	assert_int_equal(tcpip_gro_iov(&gro, g, iov, 2), 2);
	assert_ptr_equal(iov[0].base, slots[0]);
	assert_int_equal(iov[0].len, 1052);
	assert_ptr_equal(iov[1].base, slots[1] + 52);
	assert_int_equal(iov[1].len, 1000);
	/* The header is that of the whole, with the pseudo-header's sum as L4 checksum. */
	build(untouched[0], &whole);
	acc = tcpip_csum_pseudo4(slots[0] + 12, slots[0] + 16, 6, 2032);
	assert_memory_equal(slots[0], untouched[0], 36);
	assert_int_equal(tcpip_load_be16(slots[0] + 36), tcpip_csum_fold(acc));
}

static void tcp_over_ipv6_merges(void **state)
{
	struct spec s = tcp;

	(void)state;
	s.family = 6;
	add(&s);
	s.seq += 1000;
	add(&s);
	assert_int_equal(run(), 1);
	assert_merged(0, 2, 1000);
	assert_int_equal(gro.groups[0].vh.gso_type, TCPIP_VNET_GSO_TCPV6);
	assert_int_equal(gro.groups[0].vh.csum_start, 40);
	assert_int_equal(tcpip_load_be16(slots[0] + 4), 2032);
}

static void udp_datagrams_merge(void **state)
{
	(void)state;
	add_udp(1000);
	add_udp(1000);
	add_udp(1000);
	assert_int_equal(run(), 1);
	assert_merged(0, 3, 1000);
	assert_int_equal(gro.groups[0].vh.gso_type, TCPIP_VNET_GSO_UDP_L4);
	assert_int_equal(gro.groups[0].vh.csum_offset, 6);
	assert_int_equal(gro.groups[0].vh.hdr_len, 28);
	assert_int_equal(tcpip_load_be16(slots[0] + 24), 3008);
}

/* Two segments that adjoin but differ by what `change` did must stay apart. */
static void assert_apart(const struct spec *a, const struct spec *b)
{
	n_items = 0;
	add(a);
	add(b);
	assert_nothing_merged();
}

#define STAYS_APART(base, change) \
	do { \
		struct spec a = base, b = base; \
		(void)state; \
		b.seq += a.payload_len; \
		b.change; \
		assert_apart(&a, &b); \
		a.family = b.family = 6; \
		assert_apart(&a, &b); \
	} while (0)

static void other_options_stay_apart(void **state)
{
	STAYS_APART(tcp, option_fill = 3);
	STAYS_APART(tcp, tcp_options = 16);
	STAYS_APART(tcp, tcp_options = 0);
}

static void other_acknowledgement_stays_apart(void **state)
{
	STAYS_APART(tcp, ack = 8);
}

static void other_window_stays_apart(void **state)
{
	STAYS_APART(tcp, window = 101);
}

static void other_ttl_stays_apart(void **state)
{
	STAYS_APART(tcp, ttl = 63);
	STAYS_APART(udp, ttl = 63);
}

static void other_tos_stays_apart(void **state)
{
	STAYS_APART(tcp, tos = 2);
	STAYS_APART(udp, tos = 0x10);
}

static void other_ports_stay_apart(void **state)
{
	STAYS_APART(tcp, sport = 4001);
	STAYS_APART(udp, dport = 5001);
}

static void other_fragment_bits_stay_apart(void **state)
{
	struct spec a = tcp, b = tcp;

	(void)state;
	b.seq += 1000;
	b.no_df = true;
	assert_apart(&a, &b);
	b.no_df = false;
	b.reserved_bit = true;
	assert_apart(&a, &b);
}

static void other_flow_label_stays_apart(void **state)
{
	struct spec a = tcp, b = tcp;

	(void)state;
	a.family = b.family = 6;
	b.seq += 1000;
	b.flow_label = 1;
	assert_apart(&a, &b);
}

static void other_addresses_stay_apart(void **state)
{
	(void)state;
	for (int family = 4; family <= 6; family += 2) {
		size_t first = family == 4 ? 12 : 8, end = family == 4 ? 20 : 40;

		for (size_t at = first; at < end; at++) {
			struct spec s = tcp;

			n_items = 0;
			s.family = family;
			add(&s);
			s.seq += 1000;
			add(&s);
			slots[1][at] ^= 4;
			fix_checksums(slots[1], &s, items[1].len);
			assert_nothing_merged();
		}
	}
}

static void a_gap_in_the_sequence_stays_apart(void **state)
{
	STAYS_APART(tcp, seq += 1);
	STAYS_APART(tcp, seq -= 1);
	STAYS_APART(tcp, seq -= 1000);
}

static void only_ack_and_psh_flags_merge(void **state)
{
	static const uint16_t bad[] = {0x00, 0x08, 0x11, 0x12, 0x14, 0x30, 0x50, 0x90, 0x110, 0x02};

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		STAYS_APART(tcp, flags = bad[i]);
	}
}

static void a_psh_segment_ends_its_group(void **state)
{
	struct spec s = tcp;

	(void)state;
	add_tcp(0, 1000);
	s.seq += 1000;
	s.flags |= TCPIP_TCP_PSH;
	add(&s);
	add_tcp(2000, 1000);
	add_tcp(3000, 1000);
	assert_int_equal(run(), 2);
	assert_merged(0, 2, 1000);
	assert_merged(1, 2, 1000);
	assert_int_equal(slots[0][33], TCPIP_TCP_ACK | TCPIP_TCP_PSH);
	assert_int_equal(slots[2][33], TCPIP_TCP_ACK);
}

static void a_group_that_begins_with_psh_takes_nothing_behind_it(void **state)
{
	struct spec s = tcp;

	(void)state;
	s.flags |= TCPIP_TCP_PSH;
	add(&s);
	add_tcp(1000, 1000);
	assert_nothing_merged();
}

static void earlier_data_are_put_in_front(void **state)
{
	struct tcpip_iov iov[3];

	(void)state;
	add_tcp(2000, 1000);
	add_tcp(1000, 1000);
	add_tcp(0, 1000);
	assert_int_equal(run(), 1);
	assert_merged(0, 3, 1000);
	assert_int_equal(gro.groups[0].head, 2);
	assert_int_equal(gro.groups[0].tail, 0);
	assert_int_equal(tcpip_gro_iov(&gro, &gro.groups[0], iov, 3), 3);
	assert_ptr_equal(iov[0].base, slots[2]);
	assert_ptr_equal(iov[1].base, slots[1] + 52);
	assert_ptr_equal(iov[2].base, slots[0] + 52);
	assert_int_equal(tcpip_load_be32(slots[2] + 24), tcp.seq);
	assert_int_equal(tcpip_load_be16(slots[2] + 2), 3052);
}

static void psh_of_the_tail_reaches_a_head_put_in_front(void **state)
{
	struct spec s = tcp;

	(void)state;
	s.seq += 1000;
	s.flags |= TCPIP_TCP_PSH;
	add(&s);
	add_tcp(0, 1000);
	assert_int_equal(run(), 1);
	assert_merged(0, 2, 1000);
	assert_int_equal(slots[1][33], TCPIP_TCP_ACK | TCPIP_TCP_PSH);
}

static void psh_is_not_put_in_front(void **state)
{
	struct spec s = tcp;

	(void)state;
	add_tcp(1000, 1000);
	s.flags |= TCPIP_TCP_PSH;
	add(&s);
	assert_nothing_merged();
}

static void a_longer_one_in_front_makes_a_single_packet_the_short_tail(void **state)
{
	(void)state;
	add_tcp(1000, 400);
	add_tcp(0, 1000);
	add_tcp(1400, 400);
	assert_int_equal(run(), 2);
	assert_merged(0, 2, 1000);
	assert_merged(1, 1, 0);
}

static void a_longer_one_does_not_go_in_front_of_several(void **state)
{
	(void)state;
	add_tcp(1000, 400);
	add_tcp(1400, 400);
	add_tcp(0, 1000);
	assert_int_equal(run(), 2);
	assert_merged(0, 2, 400);
	assert_merged(1, 1, 0);
}

static void a_shorter_one_does_not_go_in_front(void **state)
{
	(void)state;
	add_tcp(500, 1000);
	add_tcp(0, 500);
	assert_nothing_merged();
}

static void a_short_tail_ends_its_group(void **state)
{
	(void)state;
	add_tcp(0, 1000);
	add_tcp(1000, 1000);
	add_tcp(2000, 300);
	add_tcp(2300, 300);
	assert_int_equal(run(), 2);
	assert_merged(0, 3, 1000);
	assert_merged(1, 1, 0);
	assert_zero_vnet_header(&gro.groups[1]);
}

static void a_larger_one_is_not_appended(void **state)
{
	(void)state;
	add_tcp(0, 500);
	add_tcp(500, 1000);
	assert_nothing_merged();
	n_items = 0;
	add_udp(500);
	add_udp(1000);
	assert_nothing_merged();
}

static void a_short_udp_tail_ends_its_group(void **state)
{
	(void)state;
	add_udp(1000);
	add_udp(999);
	add_udp(999);
	assert_int_equal(run(), 2);
	assert_merged(0, 2, 1000);
	assert_merged(1, 1, 0);
}

static void udp_joins_the_last_group_only(void **state)
{
	(void)state;
	add_udp(1000);
	add_udp(1200); /* cannot join: larger, so it is the flow's last group now */
	add_udp(1000); /* its short tail, although the first group is open too */
	add_udp(1000); /* both are closed: a new group */
	assert_int_equal(run(), 3);
	assert_merged(0, 1, 0);
	assert_merged(1, 2, 1200);
	assert_merged(2, 1, 0);
}

static void udp_is_not_overtaken_by_later_datagrams(void **state)
{
	struct spec s = udp;

	(void)state;
	add_udp(1000);
	s.no_checksum = true;
	add(&s);
	add_udp(1000);
	assert_nothing_merged();
	n_items = 0;
	add_udp(1000);
	add_udp(0);
	add_udp(1000);
	assert_nothing_merged();
	n_items = 0;
	add_udp(1000);
	add_udp(1000);
	slots[1][600] ^= 1; /* bad checksum */
	add_udp(1000);
	assert_nothing_merged();
}

static void udp_without_checksum_never_merges(void **state)
{
	struct spec s = udp;

	(void)state;
	s.no_checksum = true;
	add(&s);
	add(&s);
	items[0].flags = items[1].flags = TCPIP_GRO_VERIFIED;
	assert_nothing_merged();
}

static void a_udp_length_that_is_not_the_packets_never_merges(void **state)
{
	(void)state;
	add_udp(1000);
	add_udp(1000);
	tcpip_udp_set_length(slots[0] + 20, 1007);
	tcpip_udp_set_length(slots[1] + 20, 1007);
	items[0].flags = items[1].flags = TCPIP_GRO_VERIFIED;
	assert_nothing_merged();
}

static void fragments_never_merge(void **state)
{
	static const uint16_t bits[] = {0x2000, 0x0001, 0x1fff};

	(void)state;
	for (size_t k = 0; k < N_OF(bits); k++) {
		n_items = 0;
		add_tcp(0, 1000);
		add_tcp(1000, 1000);
		for (uint32_t i = 0; i < 2; i++) {
			tcpip_store_be16(slots[i] + 6, bits[k]);
			items[i].flags = TCPIP_GRO_VERIFIED;
		}
		assert_nothing_merged();
	}
}

/* The options look like a UDP header that would merge, if they were taken for one. */
static void ipv4_options_never_merge(void **state)
{
	struct spec s = {.protocol = 17, .ip_options = 8, .payload_len = 1000};

	(void)state;
	add(&s);
	add(&s);
	for (uint32_t i = 0; i < 2; i++) {
		tcpip_udp_write(slots[i] + 20, 1, 2, (uint16_t)(items[i].len - 28));
		tcpip_udp_set_checksum(slots[i] + 20, 0xbeef);
		items[i].flags = TCPIP_GRO_VERIFIED;
	}
	assert_nothing_merged();
}

static void ipv6_extension_headers_never_merge(void **state)
{
	struct spec s = tcp;

	(void)state;
	s.family = 6;
	add(&s);
	s.seq += 1000;
	add(&s);
	for (uint32_t i = 0; i < 2; i++) {
		slots[i][6] = TCPIP_IPPROTO_DSTOPTS;
		items[i].flags = TCPIP_GRO_VERIFIED;
	}
	assert_nothing_merged();
}

static void padded_or_truncated_packets_never_merge(void **state)
{
	(void)state;
	for (int change = -1; change <= 1; change += 2) {
		for (int family = 4; family <= 6; family += 2) {
			struct spec s = tcp;

			n_items = 0;
			s.family = family;
			add(&s);
			s.seq += 1000;
			add(&s);
			items[0].len = (uint32_t)((int)items[0].len + change);
			items[1].len = (uint32_t)((int)items[1].len + change);
			items[0].flags = items[1].flags = TCPIP_GRO_VERIFIED;
			assert_nothing_merged();
		}
	}
}

static void segments_without_payload_never_merge(void **state)
{
	(void)state;
	add_tcp(0, 1000);
	add_tcp(1000, 0);
	add_tcp(1000, 0);
	assert_nothing_merged();
}

static void a_bad_tcp_header_length_never_merges(void **state)
{
	static const uint8_t offsets[] = {0x00, 0x40, 0x51, 0x58};

	(void)state;
	for (size_t k = 0; k < N_OF(offsets); k++) {
		n_items = 0;
		add_tcp(0, 1000);
		add_tcp(1000, 1000);
		for (uint32_t i = 0; i < 2; i++) {
			slots[i][32] = offsets[k];
			items[i].flags = TCPIP_GRO_VERIFIED;
		}
		assert_nothing_merged();
	}
}

static void a_bad_checksum_stays_alone_with_a_zero_header(void **state)
{
	(void)state;
	for (uint32_t bad = 0; bad < 2; bad++) {
		n_items = 0;
		add_tcp(0, 1000);
		add_tcp(1000, 1000);
		slots[bad][500] ^= 0x20;
		assert_nothing_merged();
	}
}

static void a_bad_ipv4_header_checksum_stays_alone(void **state)
{
	(void)state;
	for (uint32_t bad = 0; bad < 2; bad++) {
		n_items = 0;
		add_tcp(0, 1000);
		add_tcp(1000, 1000);
		slots[bad][10] ^= 0x20;
		assert_nothing_merged();
	}
}

static void a_bad_packet_in_the_middle_leaves_the_others_right(void **state)
{
	(void)state;
	add_tcp(0, 1000);
	add_tcp(1000, 1000);
	add_tcp(2000, 1000);
	slots[2][800] ^= 1;
	add_tcp(2000, 1000);
	assert_int_equal(run(), 2);
	assert_merged(0, 3, 1000);
	assert_merged(1, 1, 0);
	assert_int_equal(gro.groups[1].head, 2);
	assert_zero_vnet_header(&gro.groups[1]);
}

static void a_bad_head_is_replaced_by_the_next_packet(void **state)
{
	(void)state;
	add_tcp(0, 1000);
	slots[0][800] ^= 1;
	add_tcp(1000, 1000);
	add_tcp(2000, 1000);
	assert_int_equal(run(), 2);
	assert_merged(0, 1, 0);
	assert_zero_vnet_header(&gro.groups[0]);
	assert_merged(1, 2, 1000);
}

static void verified_items_are_not_verified_again(void **state)
{
	(void)state;
	add_tcp(0, 1000);
	add_tcp(1000, 1000);
	slots[0][500] ^= 1;
	slots[1][500] ^= 1;
	items[0].flags = items[1].flags = TCPIP_GRO_VERIFIED;
	assert_int_equal(run(), 1);
	assert_merged(0, 2, 1000);
}

static void data_valid_is_given_on_request_to_verified_packets_only(void **state)
{
	(void)state;
	assert_int_equal(tcpip_gro_init(&gro, 0, TCPIP_GRO_DATA_VALID), TCPIP_OK);
	add_tcp(0, 1000);
	add_tcp(5000, 1000);
	add_udp(0);
	items[0].flags = items[2].flags = TCPIP_GRO_VERIFIED;
	assert_int_equal(run(), 3);
	assert_int_equal(gro.groups[0].vh.flags, TCPIP_VNET_DATA_VALID);
	assert_int_equal(gro.groups[0].vh.gso_type, 0);
	assert_zero_vnet_header(&gro.groups[1]);
	assert_zero_vnet_header(&gro.groups[2]);
}

static void options_switch_tcp_and_udp_off(void **state)
{
	(void)state;
	assert_int_equal(tcpip_gro_init(&gro, 0, TCPIP_GRO_NO_TCP), TCPIP_OK);
	add_tcp(0, 1000);
	add_tcp(1000, 1000);
	add_udp(1000);
	add_udp(1000);
	assert_int_equal(run(), 3);
	assert_merged(2, 2, 1000);
	n_items = 0;
	assert_int_equal(tcpip_gro_init(&gro, 0, TCPIP_GRO_NO_UDP), TCPIP_OK);
	add_tcp(0, 1000);
	add_tcp(1000, 1000);
	add_udp(1000);
	add_udp(1000);
	assert_int_equal(run(), 3);
	assert_merged(0, 2, 1000);
}

static void the_whole_stays_within_65535_bytes(void **state)
{
	(void)state;
	add_tcp(0, 40000);
	add_tcp(40000, 25483);
	assert_int_equal(run(), 1);
	assert_int_equal(gro.groups[0].total_len, 65535);
	n_items = 0;
	add_tcp(0, 40000);
	add_tcp(40000, 25484);
	assert_nothing_merged();
}

static void flows_by_turns_merge_each(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 12; i++) {
		struct spec s = tcp;

		s.sport = (uint16_t)(100 + i % 3);
		s.seq += i / 3 * 1000;
		add(&s);
	}
	assert_int_equal(run(), 3);
	for (uint32_t g = 0; g < 3; g++) {
		assert_merged(g, 4, 1000);
		assert_int_equal(gro.groups[g].head, g);
	}
}

static void groups_come_in_the_order_of_their_first_packets(void **state)
{
	struct spec icmp = {.protocol = 1, .payload_len = 56};

	(void)state;
	add_udp(1000);
	add(&icmp);
	add_tcp(1000, 1000);
	add_udp(1000);
	add_tcp(0, 1000);
	assert_int_equal(run(), 3);
	assert_int_equal(gro.groups[0].head, 0);
	assert_int_equal(gro.groups[1].head, 1);
	assert_int_equal(gro.groups[2].head, 4);
}

static void ethernet_frames_merge(void **state)
{
	struct spec s = tcp;
	struct tcpip_iov iov[2];

	(void)state;
	assert_int_equal(tcpip_gro_init(&gro, 14, 0), TCPIP_OK);
	s.l2_len = 14;
	add(&s);
	s.seq += 1000;
	add(&s);
	assert_int_equal(run(), 1);
	assert_merged(0, 2, 1000);
	assert_int_equal(gro.groups[0].vh.csum_start, 34);
	assert_int_equal(gro.groups[0].vh.hdr_len, 66);
	assert_int_equal(gro.groups[0].total_len, 2066);
	assert_int_equal(tcpip_gro_iov(&gro, &gro.groups[0], iov, 2), 2);
	assert_ptr_equal(iov[1].base, slots[1] + 66);
}

static void frames_between_other_stations_stay_apart(void **state)
{
	(void)state;
	for (size_t at = 0; at < 12; at++) {
		struct spec s = tcp;

		n_items = 0;
		assert_int_equal(tcpip_gro_init(&gro, 14, 0), TCPIP_OK);
		s.l2_len = 14;
		add(&s);
		s.seq += 1000;
		add(&s);
		slots[1][at] ^= 1;
		assert_nothing_merged();
	}
}

static void tagged_and_foreign_frames_pass_alone(void **state)
{
	static const uint16_t types[] = {0x8100, 0x88a8, 0x86dd, 0x0806};

	(void)state;
	for (size_t k = 0; k < N_OF(types); k++) {
		struct spec s = tcp;

		n_items = 0;
		assert_int_equal(tcpip_gro_init(&gro, 14, 0), TCPIP_OK);
		s.l2_len = 14;
		add(&s);
		s.seq += 1000;
		add(&s);
		tcpip_store_be16(slots[0] + 12, types[k]);
		tcpip_store_be16(slots[1] + 12, types[k]);
		assert_nothing_merged();
	}
}

static void refuses_other_link_lengths_and_too_many_items(void **state)
{
	static struct tcpip_gro_item many[TCPIP_GRO_MAX + 1];

	(void)state;
	assert_int_equal(tcpip_gro_init(&gro, 18, 0), TCPIP_ERANGE);
	assert_int_equal(tcpip_gro_run(&gro, many, TCPIP_GRO_MAX + 1), TCPIP_ERANGE);
	assert_int_equal(tcpip_gro_run(&gro, many, 0), 0);
}

static void a_full_batch_of_different_flows_passes(void **state)
{
	static uint8_t small[TCPIP_GRO_MAX][64];
	static struct tcpip_gro_item many[TCPIP_GRO_MAX];

	(void)state;
	for (uint32_t i = 0; i < TCPIP_GRO_MAX; i++) {
		struct spec s = {.protocol = 17, .payload_len = 8, .sport = (uint16_t)(i + 1)};

		many[i].data = small[i];
		many[i].len = (uint32_t)build(small[i], &s);
	}
	assert_int_equal(tcpip_gro_run(&gro, many, TCPIP_GRO_MAX), TCPIP_GRO_MAX);
	for (uint32_t i = 0; i < TCPIP_GRO_MAX; i++)
		assert_int_equal(gro.groups[i].head, i);
}

#define T(f) cmocka_unit_test_setup(f, start)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(two_tcp_segments_merge),
		T(tcp_over_ipv6_merges),
		T(udp_datagrams_merge),
		T(other_options_stay_apart),
		T(other_acknowledgement_stays_apart),
		T(other_window_stays_apart),
		T(other_ttl_stays_apart),
		T(other_tos_stays_apart),
		T(other_ports_stay_apart),
		T(other_fragment_bits_stay_apart),
		T(other_flow_label_stays_apart),
		T(other_addresses_stay_apart),
		T(a_gap_in_the_sequence_stays_apart),
		T(only_ack_and_psh_flags_merge),
		T(a_psh_segment_ends_its_group),
		T(a_group_that_begins_with_psh_takes_nothing_behind_it),
		T(earlier_data_are_put_in_front),
		T(psh_of_the_tail_reaches_a_head_put_in_front),
		T(psh_is_not_put_in_front),
		T(a_longer_one_in_front_makes_a_single_packet_the_short_tail),
		T(a_longer_one_does_not_go_in_front_of_several),
		T(a_shorter_one_does_not_go_in_front),
		T(a_short_tail_ends_its_group),
		T(a_larger_one_is_not_appended),
		T(a_short_udp_tail_ends_its_group),
		T(udp_joins_the_last_group_only),
		T(udp_is_not_overtaken_by_later_datagrams),
		T(udp_without_checksum_never_merges),
		T(a_udp_length_that_is_not_the_packets_never_merges),
		T(fragments_never_merge),
		T(ipv4_options_never_merge),
		T(ipv6_extension_headers_never_merge),
		T(padded_or_truncated_packets_never_merge),
		T(segments_without_payload_never_merge),
		T(a_bad_tcp_header_length_never_merges),
		T(a_bad_checksum_stays_alone_with_a_zero_header),
		T(a_bad_ipv4_header_checksum_stays_alone),
		T(a_bad_packet_in_the_middle_leaves_the_others_right),
		T(a_bad_head_is_replaced_by_the_next_packet),
		T(verified_items_are_not_verified_again),
		T(data_valid_is_given_on_request_to_verified_packets_only),
		T(options_switch_tcp_and_udp_off),
		T(the_whole_stays_within_65535_bytes),
		T(flows_by_turns_merge_each),
		T(groups_come_in_the_order_of_their_first_packets),
		T(ethernet_frames_merge),
		T(frames_between_other_stations_stay_apart),
		T(tagged_and_foreign_frames_pass_alone),
		T(refuses_other_link_lengths_and_too_many_items),
		T(a_full_batch_of_different_flows_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
