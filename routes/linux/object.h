/* SPDX-License-Identifier: BSD-2-Clause */
/* object: the things that the kernel keeps for us: routes, rules, switches; and lists of them. */
#ifndef ROUTES_OBJECT_H
#define ROUTES_OBJECT_H

#include <stdbool.h>
#include <vpncore/plugin.h>

#define ROUTES_MAIN_TABLE 254u /* RT_TABLE_MAIN of linux/rtnetlink.h */

/* A route as rtnetlink(7) knows it. Fixed layout: it stands in the journal. */
struct routes_route {
	struct vpn_prefix dst; /* host bits zero */
	uint8_t type;          /* RTN_UNICAST, RTN_UNREACHABLE, RTN_THROW */
	uint8_t protocol;
	uint8_t has_gateway;
	uint8_t reserved;
	uint32_t table;
	uint32_t metric;
	uint32_t ifindex; /* 0 for what is not RTN_UNICAST */
	uint32_t mtu;     /* 0 = the device's */
	uint8_t gateway[16];
};
VPN_STATIC_ASSERT(sizeof(struct routes_route) == 56, "routes_route");

/* A rule of policy routing for packets with (mark & mask) == mark; mask 0: for all. */
struct routes_rule {
	uint8_t family; /* VPN_AF_* */
	uint8_t action; /* FR_ACT_TO_TBL, FR_ACT_UNREACHABLE */
	uint8_t protocol;
	uint8_t is_special; /* read, with conditions that ours never have: equal to none of ours */
	uint32_t preference;
	uint32_t table;
	uint32_t mark;
	uint32_t mask;
};
VPN_STATIC_ASSERT(sizeof(struct routes_rule) == 20, "routes_rule");

#define ROUTES_SWITCH_PATH  96u
#define ROUTES_SWITCH_VALUE 16u

/* A file under /proc/sys and what shall be in it. */
struct routes_switch {
	char path[ROUTES_SWITCH_PATH]; /* "net/ipv4/ip_forward" */
	char value[ROUTES_SWITCH_VALUE];
};

/* Order and equality over every member. */
int routes_route_compare(const struct routes_route *a, const struct routes_route *b);
int routes_rule_compare(const struct routes_rule *a, const struct routes_rule *b);
/* Whether the kernel can keep only one of both: table, destination and metric are equal. */
bool routes_route_same_key(const struct routes_route *a, const struct routes_route *b);

/* "10.0.0.0/8 table 7600 metric 5"; "preference 7600 (IPv4)". Returns buf. */
#define ROUTES_OBJECT_TEXT 128u
const char *routes_route_text(const struct routes_route *r, char buf[ROUTES_OBJECT_TEXT]);
const char *routes_rule_text(const struct routes_rule *r, char buf[ROUTES_OBJECT_TEXT]);

/* A growing list of structs of one size. Zeroed it is empty. */
struct routes_list {
	void *items;
	uint32_t n, max;
};

/* Appends a copy of *item; false without memory. */
bool routes_list_add(struct routes_list *l, const void *item, size_t size);
void routes_list_remove(struct routes_list *l, uint32_t i, size_t size);
void routes_list_free(struct routes_list *l); /* leaves an empty one */

#endif
