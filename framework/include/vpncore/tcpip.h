/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcpip.h: the packet toolkit. Views of Ethernet, ARP, IPv4, IPv6, TCP, UDP and ICMP, the numbers
 * with their names, checksums, segmentation and coalescing of super-packets, ICMP errors, prefixes
 * and an address pool. It stands alone: it needs no other part of vpncore, and only stdint, stddef,
 * stdbool.
 *
 * Rules that hold for all of it:
 *  - Nothing allocates but tcpip_pool_create(). Nothing logs, locks or calls the system.
 *  - Every function is [any]: it may be called on every thread. An object that is changed by a call
 *    (a gro, a pool, an iterator, a packet) belongs to one caller at a time.
 *  - A parse function takes (data, len), checks every bound once and fills a view. The pointers in
 *    a view point into `data` and live as long as it. On error the view's content is undefined.
 *  - Functions that return int give TCPIP_OK or a positive result, or one of enum tcpip_error.
 *  - Numbers in views and arguments are in host byte order; addresses are bytes in network order.
 *  - Setters take a header that a parse function has accepted; they check nothing and do not touch
 *    any checksum (recompute it, or see tcpip_csum_update16()).
 */
#ifndef VPNCORE_TCPIP_H
#define VPNCORE_TCPIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- 1. Errors ------------------------------------------------------------------------------- */

enum tcpip_error {
	TCPIP_OK = 0,
	TCPIP_ESHORT = -1,    /* a header, or the length that it declares, runs past the data */
	TCPIP_EVERSION = -2,  /* not the IP version that was asked for, or neither 4 nor 6 */
	TCPIP_EHEADER = -3,   /* a header length field has an impossible value */
	TCPIP_ELENGTH = -4,   /* a total or payload length field has an impossible value */
	TCPIP_EPROTO = -5,    /* another protocol than the call needs */
	TCPIP_ECHAIN = -6,    /* IPv6 extension headers: too many, or one in a forbidden place */
	TCPIP_EOPTION = -7,   /* a malformed option */
	TCPIP_EFRAGMENT = -8, /* not possible with a fragment */
	TCPIP_EGSOTYPE = -9,  /* gso_type unknown, none, or not that of the packet */
	TCPIP_EGSOSIZE = -10, /* gso_size is 0 or makes segments that no IP header can describe */
	TCPIP_ECSUM = -11,  /* csum_start or csum_offset is not where the packet has its checksum */
	TCPIP_ESPACE = -12, /* the output buffer is too small */
	TCPIP_EFORBIDDEN = -13, /* the RFCs forbid an ICMP error about this packet */
	TCPIP_ETEXT = -14,      /* text that is not an address, prefix or MAC */
	TCPIP_ERANGE = -15, /* an argument is out of range; an address is not one of the pool's */
	TCPIP_EFULL = -16,  /* no address is left */
	TCPIP_ESTATE = -17, /* released twice, or reserved while in use */
	TCPIP_ENOMEM = -18, /* tcpip_pool_create() only */
};

/* A short English text for an error; never NULL. */
const char *tcpip_strerror(int err);

/* ---- 2. Byte order: unaligned loads and stores in network order ------------------------------ */

static inline uint16_t tcpip_load_be16(const void *p)
{
	const uint8_t *b = (const uint8_t *)p;

	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t tcpip_load_be32(const void *p)
{
	const uint8_t *b = (const uint8_t *)p;

	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline uint64_t tcpip_load_be64(const void *p)
{
	const uint8_t *b = (const uint8_t *)p;

	return (uint64_t)tcpip_load_be32(b) << 32 | tcpip_load_be32(b + 4);
}

static inline void tcpip_store_be16(void *p, uint16_t v)
{
	uint8_t *b = (uint8_t *)p;

	b[0] = (uint8_t)(v >> 8);
	b[1] = (uint8_t)v;
}

static inline void tcpip_store_be32(void *p, uint32_t v)
{
	uint8_t *b = (uint8_t *)p;

	b[0] = (uint8_t)(v >> 24);
	b[1] = (uint8_t)(v >> 16);
	b[2] = (uint8_t)(v >> 8);
	b[3] = (uint8_t)v;
}

static inline void tcpip_store_be64(void *p, uint64_t v)
{
	tcpip_store_be32(p, (uint32_t)(v >> 32));
	tcpip_store_be32((uint8_t *)p + 4, (uint32_t)v);
}

/* Copies n bytes; for addresses, where a call would cost more than the bytes. */
static inline void tcpip_copy_bytes(uint8_t *dst, const uint8_t *src, size_t n)
{
	for (size_t i = 0; i < n; i++)
		dst[i] = src[i];
}

/* ---- 3. Numbers (IANA registries) ------------------------------------------------------------ */

/* clang-format off */
/* X(identifier, number, name): EtherTypes, IANA ieee-802-numbers. */
#define TCPIP_ETHERTYPE_LIST(X) \
	X(IPV4, 0x0800, "IPv4") X(ARP, 0x0806, "ARP") X(WAKE_ON_LAN, 0x0842, "Wake-on-LAN") \
	X(TRILL, 0x22f3, "TRILL") X(SRP, 0x22ea, "SRP") X(AVTP, 0x22f0, "AVTP") \
	X(BATMAN, 0x4305, "batman-adv") X(DEC_MOP, 0x6002, "DEC-MOP") \
	X(DECNET, 0x6003, "DECnet") X(DEC_LAT, 0x6004, "DEC-LAT") \
	X(TEB, 0x6558, "Trans-Ether-Bridging") X(RARP, 0x8035, "RARP") \
	X(APPLETALK, 0x809b, "AppleTalk") X(AARP, 0x80f3, "AARP") X(VLAN, 0x8100, "802.1Q") \
	X(SLPP, 0x8102, "SLPP") X(VLACP, 0x8103, "VLACP") X(IPX, 0x8137, "IPX") \
	X(IPX_NOVELL, 0x8138, "IPX-Novell") X(QNET, 0x8204, "QNX-Qnet") X(IPV6, 0x86dd, "IPv6") \
	X(FLOW_CONTROL, 0x8808, "Ethernet-Flow-Control") X(SLOW, 0x8809, "Slow-Protocols") \
	X(COBRANET, 0x8819, "CobraNet") X(MPLS, 0x8847, "MPLS") \
	X(MPLS_MULTICAST, 0x8848, "MPLS-Multicast") \
	X(PPPOE_DISCOVERY, 0x8863, "PPPoE-Discovery") X(PPPOE_SESSION, 0x8864, "PPPoE-Session") \
	X(JUMBO, 0x8870, "Jumbo-Frames") X(HOMEPLUG, 0x887b, "HomePlug-1.0") \
	X(EAPOL, 0x888e, "802.1X") X(PROFINET, 0x8892, "PROFINET") \
	X(HYPERSCSI, 0x889a, "HyperSCSI") X(AOE, 0x88a2, "ATA-over-Ethernet") \
	X(ETHERCAT, 0x88a4, "EtherCAT") X(QINQ, 0x88a8, "802.1ad") \
	X(POWERLINK, 0x88ab, "Ethernet-Powerlink") X(GOOSE, 0x88b8, "GOOSE") \
	X(GSE, 0x88b9, "GSE") X(SV, 0x88ba, "Sampled-Values") X(ERSPAN, 0x88be, "ERSPAN") \
	X(TIPC, 0x88ca, "TIPC") X(LLDP, 0x88cc, "LLDP") X(SERCOS, 0x88cd, "SERCOS-III") \
	X(WSMP, 0x88dc, "WSMP") X(HOMEPLUG_AV, 0x88e1, "HomePlug-AV") X(MRP, 0x88e3, "MRP") \
	X(MACSEC, 0x88e5, "802.1AE") X(PBB, 0x88e7, "802.1ah") X(MVRP, 0x88f5, "MVRP") \
	X(MMRP, 0x88f6, "MMRP") X(PTP, 0x88f7, "PTP") X(NCSI, 0x88f8, "NC-SI") \
	X(PRP, 0x88fb, "PRP") X(CFM, 0x8902, "802.1ag") X(FCOE, 0x8906, "FCoE") \
	X(TDLS, 0x890d, "TDLS") X(FCOE_INIT, 0x8914, "FCoE-Init") X(ROCE, 0x8915, "RoCE") \
	X(TTE, 0x891d, "TTEthernet") X(HSR, 0x892f, "HSR") X(NSH, 0x894f, "NSH") \
	X(CTP, 0x9000, "Loopback") X(QINQ_OLD, 0x9100, "QinQ-9100") X(LOWPAN, 0xa0ed, "6LoWPAN") \
	X(LLT, 0xcafe, "Veritas-LLT")

/* X(identifier, number, name): Assigned Internet Protocol Numbers, whole registry. */
#define TCPIP_IPPROTO_LIST(X) \
	X(HOPOPT, 0, "HOPOPT") X(ICMP, 1, "ICMP") X(IGMP, 2, "IGMP") X(GGP, 3, "GGP") \
	X(IPV4, 4, "IPv4") X(ST, 5, "ST") X(TCP, 6, "TCP") X(CBT, 7, "CBT") X(EGP, 8, "EGP") \
	X(IGP, 9, "IGP") X(BBN_RCC_MON, 10, "BBN-RCC-MON") X(NVP_II, 11, "NVP-II") \
	X(PUP, 12, "PUP") X(ARGUS, 13, "ARGUS") X(EMCON, 14, "EMCON") X(XNET, 15, "XNET") \
	X(CHAOS, 16, "CHAOS") X(UDP, 17, "UDP") X(MUX, 18, "MUX") X(DCN_MEAS, 19, "DCN-MEAS") \
	X(HMP, 20, "HMP") X(PRM, 21, "PRM") X(XNS_IDP, 22, "XNS-IDP") X(TRUNK_1, 23, "TRUNK-1") \
	X(TRUNK_2, 24, "TRUNK-2") X(LEAF_1, 25, "LEAF-1") X(LEAF_2, 26, "LEAF-2") \
	X(RDP, 27, "RDP") X(IRTP, 28, "IRTP") X(ISO_TP4, 29, "ISO-TP4") X(NETBLT, 30, "NETBLT") \
	X(MFE_NSP, 31, "MFE-NSP") X(MERIT_INP, 32, "MERIT-INP") X(DCCP, 33, "DCCP") \
	X(THREE_PC, 34, "3PC") X(IDPR, 35, "IDPR") X(XTP, 36, "XTP") X(DDP, 37, "DDP") \
	X(IDPR_CMTP, 38, "IDPR-CMTP") X(TPXX, 39, "TP++") X(IL, 40, "IL") X(IPV6, 41, "IPv6") \
	X(SDRP, 42, "SDRP") X(ROUTING, 43, "IPv6-Route") X(FRAGMENT, 44, "IPv6-Frag") \
	X(IDRP, 45, "IDRP") X(RSVP, 46, "RSVP") X(GRE, 47, "GRE") X(DSR, 48, "DSR") \
	X(BNA, 49, "BNA") X(ESP, 50, "ESP") X(AH, 51, "AH") X(I_NLSP, 52, "I-NLSP") \
	X(SWIPE, 53, "SWIPE") X(NARP, 54, "NARP") X(MIN_IPV4, 55, "Min-IPv4") \
	X(TLSP, 56, "TLSP") X(SKIP, 57, "SKIP") X(ICMPV6, 58, "IPv6-ICMP") \
	X(NONE, 59, "IPv6-NoNxt") X(DSTOPTS, 60, "IPv6-Opts") \
	X(ANY_HOST, 61, "any-host-internal") X(CFTP, 62, "CFTP") \
	X(ANY_NET, 63, "any-local-network") X(SAT_EXPAK, 64, "SAT-EXPAK") \
	X(KRYPTOLAN, 65, "KRYPTOLAN") X(RVD, 66, "RVD") X(IPPC, 67, "IPPC") \
	X(ANY_DFS, 68, "any-distributed-fs") X(SAT_MON, 69, "SAT-MON") X(VISA, 70, "VISA") \
	X(IPCV, 71, "IPCV") X(CPNX, 72, "CPNX") X(CPHB, 73, "CPHB") X(WSN, 74, "WSN") \
	X(PVP, 75, "PVP") X(BR_SAT_MON, 76, "BR-SAT-MON") X(SUN_ND, 77, "SUN-ND") \
	X(WB_MON, 78, "WB-MON") X(WB_EXPAK, 79, "WB-EXPAK") X(ISO_IP, 80, "ISO-IP") \
	X(VMTP, 81, "VMTP") X(SECURE_VMTP, 82, "SECURE-VMTP") X(VINES, 83, "VINES") \
	X(IPTM, 84, "IPTM") X(NSFNET_IGP, 85, "NSFNET-IGP") X(DGP, 86, "DGP") X(TCF, 87, "TCF") \
	X(EIGRP, 88, "EIGRP") X(OSPF, 89, "OSPFIGP") X(SPRITE_RPC, 90, "Sprite-RPC") \
	X(LARP, 91, "LARP") X(MTP, 92, "MTP") X(AX25, 93, "AX.25") X(IPIP, 94, "IPIP") \
	X(MICP, 95, "MICP") X(SCC_SP, 96, "SCC-SP") X(ETHERIP, 97, "ETHERIP") \
	X(ENCAP, 98, "ENCAP") X(ANY_ENCRYPTION, 99, "any-private-encryption") \
	X(GMTP, 100, "GMTP") X(IFMP, 101, "IFMP") X(PNNI, 102, "PNNI") X(PIM, 103, "PIM") \
	X(ARIS, 104, "ARIS") X(SCPS, 105, "SCPS") X(QNX, 106, "QNX") X(ACTIVE_NETS, 107, "A/N") \
	X(IPCOMP, 108, "IPComp") X(SNP, 109, "SNP") X(COMPAQ_PEER, 110, "Compaq-Peer") \
	X(IPX_IN_IP, 111, "IPX-in-IP") X(VRRP, 112, "VRRP") X(PGM, 113, "PGM") \
	X(ANY_0_HOP, 114, "any-0-hop") X(L2TP, 115, "L2TP") X(DDX, 116, "DDX") \
	X(IATP, 117, "IATP") X(STP, 118, "STP") X(SRP, 119, "SRP") X(UTI, 120, "UTI") \
	X(SMP, 121, "SMP") X(SM, 122, "SM") X(PTP, 123, "PTP") X(ISIS, 124, "ISIS") \
	X(FIRE, 125, "FIRE") X(CRTP, 126, "CRTP") X(CRUDP, 127, "CRUDP") \
	X(SSCOPMCE, 128, "SSCOPMCE") X(IPLT, 129, "IPLT") X(SPS, 130, "SPS") \
	X(PIPE, 131, "PIPE") X(SCTP, 132, "SCTP") X(FC, 133, "FC") \
	X(RSVP_E2E_IGNORE, 134, "RSVP-E2E-IGNORE") X(MOBILITY, 135, "Mobility-Header") \
	X(UDPLITE, 136, "UDPLite") X(MPLS_IN_IP, 137, "MPLS-in-IP") X(MANET, 138, "manet") \
	X(HIP, 139, "HIP") X(SHIM6, 140, "Shim6") X(WESP, 141, "WESP") X(ROHC, 142, "ROHC") \
	X(ETHERNET, 143, "Ethernet") X(AGGFRAG, 144, "AGGFRAG") X(NSH, 145, "NSH") \
	X(HOMA, 146, "Homa") X(EXPERIMENT_1, 253, "experiment-1") \
	X(EXPERIMENT_2, 254, "experiment-2") X(RESERVED, 255, "Reserved")

/*
 * X(identifier, number, name): ICMP types (RFC 792 and its successors; deprecated ones left out).
 */
#define TCPIP_ICMP_LIST(X) \
	X(ECHO_REPLY, 0, "echo-reply") X(UNREACHABLE, 3, "destination-unreachable") \
	X(SOURCE_QUENCH, 4, "source-quench") X(REDIRECT, 5, "redirect") \
	X(ECHO, 8, "echo-request") X(ROUTER_ADVERT, 9, "router-advertisement") \
	X(ROUTER_SOLICIT, 10, "router-solicitation") X(TIME_EXCEEDED, 11, "time-exceeded") \
	X(PARAMETER, 12, "parameter-problem") X(TIMESTAMP, 13, "timestamp") \
	X(TIMESTAMP_REPLY, 14, "timestamp-reply") X(INFO, 15, "information-request") \
	X(INFO_REPLY, 16, "information-reply") X(MASK, 17, "address-mask-request") \
	X(MASK_REPLY, 18, "address-mask-reply") X(TRACEROUTE, 30, "traceroute") \
	X(PHOTURIS, 40, "photuris") X(EXT_ECHO, 42, "extended-echo-request") \
	X(EXT_ECHO_REPLY, 43, "extended-echo-reply")

/* X(identifier, number, name): ICMPv6 types (RFC 4443 and the registry). */
#define TCPIP_ICMP6_LIST(X) \
	X(UNREACHABLE, 1, "destination-unreachable") X(TOO_BIG, 2, "packet-too-big") \
	X(TIME_EXCEEDED, 3, "time-exceeded") X(PARAMETER, 4, "parameter-problem") \
	X(ECHO, 128, "echo-request") X(ECHO_REPLY, 129, "echo-reply") \
	X(MLD_QUERY, 130, "mld-query") X(MLD_REPORT, 131, "mld-report") \
	X(MLD_DONE, 132, "mld-done") X(ROUTER_SOLICIT, 133, "router-solicitation") \
	X(ROUTER_ADVERT, 134, "router-advertisement") \
	X(NEIGHBOR_SOLICIT, 135, "neighbor-solicitation") \
	X(NEIGHBOR_ADVERT, 136, "neighbor-advertisement") X(REDIRECT, 137, "redirect") \
	X(RENUMBERING, 138, "router-renumbering") X(NODE_INFO, 139, "node-information-query") \
	X(NODE_INFO_REPLY, 140, "node-information-response") \
	X(INVERSE_SOLICIT, 141, "inverse-nd-solicitation") \
	X(INVERSE_ADVERT, 142, "inverse-nd-advertisement") X(MLDV2_REPORT, 143, "mldv2-report") \
	X(CERT_SOLICIT, 148, "certification-path-solicitation") \
	X(CERT_ADVERT, 149, "certification-path-advertisement") \
	X(MULTICAST_ADVERT, 151, "multicast-router-advertisement") \
	X(MULTICAST_SOLICIT, 152, "multicast-router-solicitation") \
	X(MULTICAST_TERM, 153, "multicast-router-termination") X(RPL, 155, "rpl-control") \
	X(EXT_ECHO, 160, "extended-echo-request") X(EXT_ECHO_REPLY, 161, "extended-echo-reply")
/* clang-format on */

#define TCPIP_X_ETHERTYPE(id, n, name) TCPIP_ETHERTYPE_##id = n,
#define TCPIP_X_IPPROTO(id, n, name)   TCPIP_IPPROTO_##id = n,
#define TCPIP_X_ICMP(id, n, name)      TCPIP_ICMP_##id = n,
#define TCPIP_X_ICMP6(id, n, name)     TCPIP_ICMP6_##id = n,
enum tcpip_ethertype { TCPIP_ETHERTYPE_LIST(TCPIP_X_ETHERTYPE) };
enum tcpip_ipproto { TCPIP_IPPROTO_LIST(TCPIP_X_IPPROTO) };
enum tcpip_icmp_type { TCPIP_ICMP_LIST(TCPIP_X_ICMP) };
enum tcpip_icmp6_type { TCPIP_ICMP6_LIST(TCPIP_X_ICMP6) };
#undef TCPIP_X_ETHERTYPE
#undef TCPIP_X_IPPROTO
#undef TCPIP_X_ICMP
#undef TCPIP_X_ICMP6

/* The name of a number, or NULL when the registry has none. */
const char *tcpip_ethertype_name(uint16_t ethertype);
const char *tcpip_ipproto_name(uint8_t protocol);
const char *tcpip_icmp_name(uint8_t type);
const char *tcpip_icmp6_name(uint8_t type);

/* The number of a name (letter case does not matter), or -1. */
int tcpip_ethertype_by_name(const char *name);
int tcpip_ipproto_by_name(const char *name);

/* ---- 4. Ethernet and ARP --------------------------------------------------------------------- */

#define TCPIP_ETH_LEN      14u
#define TCPIP_VLAN_TAG_LEN 4u
#define TCPIP_ETH_MAX_TAGS 2u

struct tcpip_eth {
	const uint8_t *dst; /* 6 bytes */
	const uint8_t *src; /* 6 bytes */
	const uint8_t *payload;
	size_t payload_len; /* bytes after the header, padding included */
	uint16_t ethertype; /* of the payload, behind the tags; below 1536 it is an 802.3 length */
	uint16_t tpid[TCPIP_ETH_MAX_TAGS]; /* 0x8100, 0x88a8 or 0x9100, outermost first */
	uint16_t tci[TCPIP_ETH_MAX_TAGS];  /* priority:3, drop eligible:1, VLAN id:12 */
	uint8_t n_tags;
	uint8_t header_len; /* 14, 18 or 22 */
};

/* IEEE 802.3, 802.1Q, 802.1ad; a third tag stays in the payload. Errors: TCPIP_ESHORT. */
int tcpip_eth_parse(const uint8_t *data, size_t len, struct tcpip_eth *out);

static inline uint16_t tcpip_vlan_id(uint16_t tci)
{
	return tci & 0x0fff;
}

static inline uint8_t tcpip_vlan_priority(uint16_t tci)
{
	return (uint8_t)(tci >> 13);
}

static inline bool tcpip_mac_is_multicast(const uint8_t mac[6])
{
	return (mac[0] & 1) != 0;
}

static inline bool tcpip_mac_is_broadcast(const uint8_t mac[6])
{
	return (mac[0] & mac[1] & mac[2] & mac[3] & mac[4] & mac[5]) == 0xff;
}

/* 01:00:5e, RFC 1112 section 6.4. */
static inline bool tcpip_mac_is_ipv4_multicast(const uint8_t mac[6])
{
	return mac[0] == 0x01 && mac[1] == 0x00 && mac[2] == 0x5e && (mac[3] & 0x80) == 0;
}

/* 33:33, RFC 2464 section 7. */
static inline bool tcpip_mac_is_ipv6_multicast(const uint8_t mac[6])
{
	return mac[0] == 0x33 && mac[1] == 0x33;
}

static inline void tcpip_eth_set_dst(uint8_t *frame, const uint8_t mac[6])
{
	tcpip_copy_bytes(frame, mac, 6);
}

static inline void tcpip_eth_set_src(uint8_t *frame, const uint8_t mac[6])
{
	tcpip_copy_bytes(frame + 6, mac, 6);
}

struct tcpip_arp {
	const uint8_t *sender_hw, *sender_ip, *target_hw, *target_ip; /* hw_len and ip_len bytes */
	uint16_t hw_type, proto_type; /* 1 = Ethernet; an EtherType */
	uint16_t operation;           /* 1 = request, 2 = reply */
	uint8_t hw_len, ip_len;
};

/* RFC 826. `data` begins after the Ethernet header. Errors: TCPIP_ESHORT. */
int tcpip_arp_parse(const uint8_t *data, size_t len, struct tcpip_arp *out);

/* ---- 5. IPv4 and IPv6 ------------------------------------------------------------------------ */

#define TCPIP_IPV4_LEN     20u
#define TCPIP_IPV6_LEN     40u
#define TCPIP_IPV6_EXT_MAX 16u /* extension headers that a walk follows */

/* 4 or 6 by the version nibble; 0 for anything else or no data. */
static inline int tcpip_ip_version(const uint8_t *data, size_t len)
{
	int version = len ? data[0] >> 4 : 0;

	return version == 4 || version == 6 ? version : 0;
}

struct tcpip_ipv4 {
	const uint8_t *src, *dst; /* 4 bytes */
	const uint8_t *options;
	const uint8_t *payload;
	size_t payload_len; /* by the total length field; bytes behind it are padding */
	uint16_t total_len, id, checksum;
	uint16_t frag_offset; /* bytes */
	uint8_t header_len;   /* bytes, 20..60 */
	uint8_t options_len;
	uint8_t dscp, ecn, ttl, protocol;
	bool dont_fragment, more_fragments, reserved_bit;
};

/* RFC 791. The checksum is not verified. Errors: ESHORT, EVERSION, EHEADER, ELENGTH. */
int tcpip_ipv4_parse(const uint8_t *data, size_t len, struct tcpip_ipv4 *out);

static inline bool tcpip_ipv4_is_fragment(const struct tcpip_ipv4 *ip)
{
	return ip->more_fragments || ip->frag_offset != 0;
}

static inline void tcpip_ipv4_set_dscp(uint8_t *h, uint8_t dscp)
{
	h[1] = (uint8_t)(dscp << 2 | (h[1] & 3));
}

static inline void tcpip_ipv4_set_ecn(uint8_t *h, uint8_t ecn)
{
	h[1] = (uint8_t)((h[1] & 0xfc) | (ecn & 3));
}

static inline void tcpip_ipv4_set_total_len(uint8_t *h, uint16_t bytes)
{
	tcpip_store_be16(h + 2, bytes);
}

static inline void tcpip_ipv4_set_id(uint8_t *h, uint16_t id)
{
	tcpip_store_be16(h + 4, id);
}

/* `offset` in bytes, a multiple of 8. */
static inline void tcpip_ipv4_set_fragment(uint8_t *h, bool dont, bool more, uint16_t offset)
{
	unsigned int v = (dont ? 0x4000u : 0u) | (more ? 0x2000u : 0u) | (offset / 8u & 0x1fffu);

	tcpip_store_be16(h + 6, (uint16_t)v);
}

static inline void tcpip_ipv4_set_ttl(uint8_t *h, uint8_t ttl)
{
	h[8] = ttl;
}

static inline void tcpip_ipv4_set_protocol(uint8_t *h, uint8_t protocol)
{
	h[9] = protocol;
}

static inline void tcpip_ipv4_set_checksum(uint8_t *h, uint16_t csum)
{
	tcpip_store_be16(h + 10, csum);
}

static inline void tcpip_ipv4_set_src(uint8_t *h, const uint8_t addr[4])
{
	tcpip_copy_bytes(h + 12, addr, 4);
}

static inline void tcpip_ipv4_set_dst(uint8_t *h, const uint8_t addr[4])
{
	tcpip_copy_bytes(h + 16, addr, 4);
}

/* Computes and stores the header checksum. `h` is a whole header of (h[0] & 15) * 4 bytes. */
void tcpip_ipv4_reset_checksum(uint8_t *h);

/* Whether the header checksum is right. */
bool tcpip_ipv4_checksum_ok(const struct tcpip_ipv4 *ip);

/* Options of IPv4 and TCP: kind 0 ends, kind 1 is one byte, all others carry their length. */
struct tcpip_option {
	const uint8_t *data; /* behind kind and length */
	uint8_t len;         /* of data */
	uint8_t kind;
};

struct tcpip_option_iter {
	const uint8_t *p, *end;
};

static inline void tcpip_option_iter_init(struct tcpip_option_iter *it, const uint8_t *options,
					  size_t len)
{
	it->p = options;
	it->end = options + len;
}

/* 1 = an option is in *out (kind 1, no-operation, included), 0 = end, TCPIP_EOPTION = malformed. */
int tcpip_option_next(struct tcpip_option_iter *it, struct tcpip_option *out);

struct tcpip_ipv6 {
	const uint8_t *src, *dst; /* 16 bytes */
	const uint8_t *payload;   /* extension headers, if any, begin here */
	size_t payload_len;       /* by the payload length field */
	uint32_t flow_label;
	uint8_t dscp, ecn, hop_limit;
	uint8_t next_header; /* of the fixed header: may be an extension header */
};

/* RFC 8200. Jumbograms (RFC 2675) are refused. Errors: ESHORT, EVERSION, ELENGTH. */
int tcpip_ipv6_parse(const uint8_t *data, size_t len, struct tcpip_ipv6 *out);

static inline void tcpip_ipv6_set_traffic_class(uint8_t *h, uint8_t dscp, uint8_t ecn)
{
	uint8_t tc = (uint8_t)(dscp << 2 | (ecn & 3));

	h[0] = (uint8_t)(0x60 | tc >> 4);
	h[1] = (uint8_t)((tc & 0x0f) << 4 | (h[1] & 0x0f));
}

static inline void tcpip_ipv6_set_flow_label(uint8_t *h, uint32_t label)
{
	h[1] = (uint8_t)((h[1] & 0xf0) | (label >> 16 & 0x0f));
	tcpip_store_be16(h + 2, (uint16_t)label);
}

static inline void tcpip_ipv6_set_payload_len(uint8_t *h, uint16_t bytes)
{
	tcpip_store_be16(h + 4, bytes);
}

static inline void tcpip_ipv6_set_next_header(uint8_t *h, uint8_t protocol)
{
	h[6] = protocol;
}

static inline void tcpip_ipv6_set_hop_limit(uint8_t *h, uint8_t hops)
{
	h[7] = hops;
}

static inline void tcpip_ipv6_set_src(uint8_t *h, const uint8_t addr[16])
{
	tcpip_copy_bytes(h + 8, addr, 16);
}

static inline void tcpip_ipv6_set_dst(uint8_t *h, const uint8_t addr[16])
{
	tcpip_copy_bytes(h + 24, addr, 16);
}

/*
 * One extension header: hop-by-hop, routing, fragment, AH, destination options, mobility, HIP,
 * shim6.
 */
struct tcpip_ipv6_ext {
	const uint8_t *data; /* the header, from its next-header byte (AH and all others alike) */
	size_t len;
	uint8_t type; /* TCPIP_IPPROTO_* */
};

struct tcpip_ipv6_walk {
	const uint8_t *data; /* the IPv6 payload */
	size_t len;
	size_t offset; /* of the next header to read, from `data`; at the end: of the upper layer */
	uint32_t frag_id;     /* these four are set by a fragment header on the way */
	uint16_t frag_offset; /* bytes */
	bool more_fragments;
	bool fragmented;
	uint8_t next;  /* type of the next header; at the end: the upper-layer protocol */
	uint8_t count; /* extension headers read */
	bool finished;
};

void tcpip_ipv6_walk_init(struct tcpip_ipv6_walk *walk, const struct tcpip_ipv6 *ip);

/*
 * 1 = an extension header is in *out; 0 = end: walk->next is the upper-layer protocol and
 * walk->offset where it begins. The walk ends at ESP, at "no next header" and behind the fragment
 * header of a fragment that is not the first. Errors: ESHORT, EHEADER, ECHAIN (more than
 * TCPIP_IPV6_EXT_MAX, or hop-by-hop options not in the first place: RFC 8200 section 4.1).
 */
int tcpip_ipv6_walk_next(struct tcpip_ipv6_walk *walk, struct tcpip_ipv6_ext *out);

/*
 * Options within hop-by-hop and destination options headers (RFC 8200 section 4.2): 1, 0 or
 * EOPTION.
 */
void tcpip_ipv6_option_iter_init(struct tcpip_option_iter *it, const struct tcpip_ipv6_ext *ext);
int tcpip_ipv6_option_next(struct tcpip_option_iter *it, struct tcpip_option *out);

/* ---- 6. TCP, UDP, ICMP ----------------------------------------------------------------------- */

#define TCPIP_TCP_LEN  20u
#define TCPIP_UDP_LEN  8u
#define TCPIP_ICMP_LEN 8u

#define TCPIP_TCP_FIN 0x001u
#define TCPIP_TCP_SYN 0x002u
#define TCPIP_TCP_RST 0x004u
#define TCPIP_TCP_PSH 0x008u
#define TCPIP_TCP_ACK 0x010u
#define TCPIP_TCP_URG 0x020u
#define TCPIP_TCP_ECE 0x040u
#define TCPIP_TCP_CWR 0x080u
#define TCPIP_TCP_AE  0x100u /* accurate ECN, the former NS bit */

#define TCPIP_TCP_OPT_END       0u
#define TCPIP_TCP_OPT_NOP       1u
#define TCPIP_TCP_OPT_MSS       2u
#define TCPIP_TCP_OPT_WSCALE    3u
#define TCPIP_TCP_OPT_SACK_OK   4u
#define TCPIP_TCP_OPT_SACK      5u
#define TCPIP_TCP_OPT_TIMESTAMP 8u

struct tcpip_tcp {
	const uint8_t *options;
	const uint8_t *payload;
	size_t payload_len;
	uint32_t seq, ack;
	uint16_t src_port, dst_port;
	uint16_t flags; /* TCPIP_TCP_* */
	uint16_t window, checksum, urgent;
	uint8_t header_len; /* bytes, 20..60 */
	uint8_t options_len;
};

/* RFC 9293. `data` is the IP payload. Errors: ESHORT, EHEADER. */
int tcpip_tcp_parse(const uint8_t *data, size_t len, struct tcpip_tcp *out);

static inline void tcpip_tcp_set_src_port(uint8_t *h, uint16_t port)
{
	tcpip_store_be16(h, port);
}

static inline void tcpip_tcp_set_dst_port(uint8_t *h, uint16_t port)
{
	tcpip_store_be16(h + 2, port);
}

static inline void tcpip_tcp_set_seq(uint8_t *h, uint32_t seq)
{
	tcpip_store_be32(h + 4, seq);
}

static inline void tcpip_tcp_set_ack(uint8_t *h, uint32_t ack)
{
	tcpip_store_be32(h + 8, ack);
}

static inline void tcpip_tcp_set_flags(uint8_t *h, uint16_t flags)
{
	h[12] = (uint8_t)((h[12] & 0xfe) | (flags >> 8 & 1));
	h[13] = (uint8_t)flags;
}

static inline void tcpip_tcp_set_window(uint8_t *h, uint16_t window)
{
	tcpip_store_be16(h + 14, window);
}

static inline void tcpip_tcp_set_checksum(uint8_t *h, uint16_t csum)
{
	tcpip_store_be16(h + 16, csum);
}

static inline void tcpip_tcp_set_urgent(uint8_t *h, uint16_t urgent)
{
	tcpip_store_be16(h + 18, urgent);
}

struct tcpip_udp {
	const uint8_t *payload;
	size_t payload_len; /* by the length field */
	uint16_t src_port, dst_port, length, checksum;
};

/* RFC 768. `data` is the IP payload. Errors: ESHORT, ELENGTH. */
int tcpip_udp_parse(const uint8_t *data, size_t len, struct tcpip_udp *out);

static inline void tcpip_udp_set_src_port(uint8_t *h, uint16_t port)
{
	tcpip_store_be16(h, port);
}

static inline void tcpip_udp_set_dst_port(uint8_t *h, uint16_t port)
{
	tcpip_store_be16(h + 2, port);
}

static inline void tcpip_udp_set_length(uint8_t *h, uint16_t bytes)
{
	tcpip_store_be16(h + 4, bytes);
}

static inline void tcpip_udp_set_checksum(uint8_t *h, uint16_t csum)
{
	tcpip_store_be16(h + 6, csum);
}

struct tcpip_icmp {
	const uint8_t *payload; /* behind the first 8 bytes */
	size_t payload_len;
	uint32_t rest; /* bytes 4..7: echo id and sequence, MTU, gateway, pointer */
	uint16_t checksum;
	uint8_t type, code;
};

/* RFC 792 and RFC 4443. Errors: ESHORT (fewer than 8 bytes). */
int tcpip_icmp_parse(const uint8_t *data, size_t len, struct tcpip_icmp *out);

static inline uint16_t tcpip_icmp_echo_id(const struct tcpip_icmp *icmp)
{
	return (uint16_t)(icmp->rest >> 16);
}

static inline uint16_t tcpip_icmp_echo_seq(const struct tcpip_icmp *icmp)
{
	return (uint16_t)icmp->rest;
}

static inline void tcpip_icmp_set_type(uint8_t *h, uint8_t type)
{
	h[0] = type;
}

static inline void tcpip_icmp_set_code(uint8_t *h, uint8_t code)
{
	h[1] = code;
}

static inline void tcpip_icmp_set_checksum(uint8_t *h, uint16_t csum)
{
	tcpip_store_be16(h + 2, csum);
}

/* Types that report an error: RFC 1122 section 3.2.2; RFC 4443 section 2.1, and redirect. */
bool tcpip_icmp_is_error(uint8_t type);
bool tcpip_icmp6_is_error(uint8_t type);

/* ---- 7. A whole L3 packet in one call -------------------------------------------------------- */

#define TCPIP_PACKET_FRAGMENT       1u /* part of a fragmented packet */
#define TCPIP_PACKET_LATER_FRAGMENT 2u /* not its first part: no L4 header, ports are 0 */
#define TCPIP_PACKET_MORE_FRAGMENTS 4u

struct tcpip_packet {
	const uint8_t *src, *dst; /* addr_len bytes */
	uint32_t total_len;       /* of the IP packet; data behind it is padding */
	uint32_t l4_offset;       /* of the upper layer, from the IP header */
	uint32_t payload_offset;  /* behind a TCP, UDP or ICMP header; otherwise l4_offset */
	uint32_t frag_id;
	uint16_t frag_offset;        /* bytes */
	uint16_t src_port, dst_port; /* TCP, UDP, UDP-Lite, SCTP, DCCP; otherwise 0 */
	uint8_t family;              /* 4 or 6 */
	uint8_t addr_len;            /* 4 or 16 */
	uint8_t protocol;            /* upper layer, behind extension headers: TCPIP_IPPROTO_* */
	uint8_t flags;               /* TCPIP_PACKET_* */
};

/* `data` begins with the IP header. Errors: those of the parsers of each layer. */
int tcpip_packet_parse(const uint8_t *data, size_t len, struct tcpip_packet *out);

/* ---- 8. Checksums (RFC 1071, RFC 1624) ------------------------------------------------------- */

/*
 * An accumulator `acc` is a 64-bit one's complement sum of the words as they lie in memory. Start
 * with 0, add parts in any order (each but the last of even length), then fold. Folded values are
 * numbers in host order, to be stored by tcpip_store_be16().
 */
static inline uint64_t tcpip_csum_add(uint64_t a, uint64_t b)
{
	uint64_t sum = a + b;

	return sum + (sum < a);
}

/* Adds `len` bytes to acc; an odd last byte counts as if a zero byte followed it. */
uint64_t tcpip_csum_partial(const void *data, size_t len, uint64_t acc);

/* Copies `len` bytes and adds them to acc in the same pass. The ranges must not overlap. */
uint64_t tcpip_csum_copy(void *dst, const void *src, size_t len, uint64_t acc);

/* Adds one 16-bit number (host order) to acc. */
uint64_t tcpip_csum_add16(uint64_t acc, uint16_t value);

/* The 16-bit sum, not inverted: what a checksum field holds for a device that finishes it. */
uint16_t tcpip_csum_fold(uint64_t acc);

/* The checksum: the inverted 16-bit sum. */
static inline uint16_t tcpip_csum_final(uint64_t acc)
{
	return (uint16_t)~tcpip_csum_fold(acc);
}

/* The checksum of one buffer. Over data that holds its own right checksum the result is 0. */
static inline uint16_t tcpip_checksum(const void *data, size_t len)
{
	return tcpip_csum_final(tcpip_csum_partial(data, len, 0));
}

/*
 * The new checksum after one 16-bit or 32-bit field at an even offset changed: RFC 1624, equation
 * 3.
 */
uint16_t tcpip_csum_update16(uint16_t csum, uint16_t before, uint16_t after);
uint16_t tcpip_csum_update32(uint16_t csum, uint32_t before, uint32_t after);

/*
 * Pseudo-header sums; `len` is that of the upper-layer packet in bytes. RFC 9293 3.1, RFC 8200 8.1.
 */
uint64_t tcpip_csum_pseudo4(const uint8_t src[4], const uint8_t dst[4], uint8_t protocol,
			    uint16_t len);
uint64_t tcpip_csum_pseudo6(const uint8_t src[16], const uint8_t dst[16], uint8_t protocol,
			    uint32_t len);

/*
 * The right checksum for a TCP, UDP, ICMP or ICMPv6 packet, stored in place; a UDP 0 becomes
 * 0xffff. `data` is a whole IP packet, not a fragment. Errors: those of parsing, EFRAGMENT, EPROTO.
 */
int tcpip_l4_reset_checksum(uint8_t *data, size_t len);

/*
 * Whether the L4 checksum is right; UDP over IPv4 with 0 (none) is right. Errors: as above; else 0
 * or 1.
 */
int tcpip_l4_checksum_ok(const uint8_t *data, size_t len);

/*
 * Finishes the checksum of a packet that came with NEEDS_CSUM and no segmentation: the field at
 * csum_start + csum_offset holds the pseudo-header's sum and gets the checksum of all from
 * csum_start. A result of 0 is stored as 0xffff, which means the same and is what UDP needs.
 * Errors: TCPIP_ECSUM.
 */
int tcpip_csum_finish(uint8_t *packet, size_t len, uint32_t csum_start, uint32_t csum_offset);

/* ---- 9. Segmentation ------------------------------------------------------------------------- */

/* virtio_net_hdr, host byte order, as a TUN/TAP device with IFF_VNET_HDR speaks it. */
struct tcpip_vnet_hdr {
	uint8_t flags;
	uint8_t gso_type;
	uint16_t hdr_len;
	uint16_t gso_size;
	uint16_t csum_start;
	uint16_t csum_offset;
};

#define TCPIP_VNET_HDR_LEN    10u
#define TCPIP_VNET_NEEDS_CSUM 1u
#define TCPIP_VNET_DATA_VALID 2u
#define TCPIP_VNET_GSO_NONE   0u
#define TCPIP_VNET_GSO_TCPV4  1u
#define TCPIP_VNET_GSO_TCPV6  4u
#define TCPIP_VNET_GSO_UDP_L4 5u
#define TCPIP_VNET_GSO_ECN    0x80u

/*
 * A plan: filled by tcpip_gso_plan(), then read-only. The packet must live and stay unchanged with
 * it.
 */
struct tcpip_gso {
	uint32_t n_segs;      /* segments, at least 1 */
	uint32_t header_len;  /* bytes before the payload, link header included */
	uint32_t gso_size;    /* payload bytes of each segment but the last */
	uint32_t payload_len; /* payload bytes of the super-packet */
	uint32_t total_len;   /* bytes of all segments together */
	/* private */
	const uint8_t *packet;
	uint64_t l3_sum; /* sum of the IPv4 header without length, id and checksum */
	uint64_t l4_sum; /* sum of pseudo-header and L4 header without what differs by segment */
	uint32_t seq;
	uint16_t l3_offset, l4_offset, ip_id, ip_len_base;
	uint8_t family, protocol;
	uint8_t tcp_flags_first, tcp_flags_middle, tcp_flags_last, tcp_flags_only;
	uint8_t tcp_offset_byte;
};

/*
 * Checks a super-packet and plans its segments. hdr_len is not trusted: header lengths come from
 * the packet. `l2_len` is the length of the link header before the IP header: 0 (TUN), 14, 18 or 22
 * (TAP); csum_start counts from the start of `packet` as the kernel counts it. gso_type NONE is
 * refused with TCPIP_EGSOTYPE: such a packet is whole, see tcpip_csum_finish(). There is no limit
 * on segments. Errors: those of parsing, EGSOTYPE, EGSOSIZE, ECSUM, EFRAGMENT, ERANGE (l2_len).
 */
int tcpip_gso_plan(struct tcpip_gso *gso, const struct tcpip_vnet_hdr *vh, const uint8_t *packet,
		   size_t len, uint32_t l2_len);

/* Bytes of segment i (< n_segs), headers included. */
static inline uint32_t tcpip_gso_segment_len(const struct tcpip_gso *gso, uint32_t i)
{
	uint32_t left = gso->payload_len - i * gso->gso_size;

	return gso->header_len + (left < gso->gso_size ? left : gso->gso_size);
}

/*
 * Writes segment i with all headers and checksums right; payload is copied and summed in one pass.
 * `dst` must not overlap the packet. Returns its length, or 0 when `cap` is too small or there is
 * no such segment. IPv4 id is the first's plus i; FIN and PSH stay on the last only, CWR on the
 * first only.
 */
size_t tcpip_gso_segment(const struct tcpip_gso *gso, uint32_t i, uint8_t *dst, size_t cap);

/* ---- 10. Coalescing -------------------------------------------------------------------------- */

#define TCPIP_GRO_MAX      256u    /* items of one batch */
#define TCPIP_GRO_TABLE    512u    /* slots of the flow table, a power of two */
#define TCPIP_GRO_NIL      0xffffu /* end of a chain */
#define TCPIP_GRO_VERIFIED 1u      /* item: checksums are known to be good, do not verify */

#define TCPIP_GRO_NO_TCP     1u /* option: never merge TCP */
#define TCPIP_GRO_NO_UDP     2u /* option: never merge UDP (no USO) */
#define TCPIP_GRO_DATA_VALID 4u /* option: an unmerged verified TCP or UDP packet gets DATA_VALID */

struct tcpip_gro_item {
	uint8_t *data; /* a whole packet (or frame); borrowed until the groups have been written */
	uint32_t len;
	uint32_t flags; /* TCPIP_GRO_VERIFIED */
};

/* One packet to write: `vh`, then the head item whole, then the payloads of the others. */
struct tcpip_gro_group {
	struct tcpip_vnet_hdr vh;
	uint16_t head;       /* index of the item whose headers are used */
	uint16_t tail;       /* index of the last item; the chain runs by gro->next[] */
	uint16_t n_items;    /* 1 = unmerged */
	uint16_t header_len; /* link, IP and L4 header, valid when n_items > 1 */
	uint32_t total_len;  /* bytes of the packet, link header included, vh not */
	/* private */
	uint32_t first_seq, next_seq;
	uint64_t addr[4];
	uint64_t ports_ack;
	uint64_t same;
	uint16_t payload_size;
	uint16_t older;
	uint8_t family, protocol;
	uint8_t l4_offset;
	uint8_t state;
};

/* Caller-allocated, about 32 KiB, one per lane and direction. */
struct tcpip_gro {
	struct tcpip_gro_group
		groups[TCPIP_GRO_MAX]; /* results, in the order of their first packets */
	uint16_t next[TCPIP_GRO_MAX];  /* item -> next item of its group, or NIL */
	uint32_t n_groups;
	/* private */
	const struct tcpip_gro_item *items;
	uint32_t options, l2_len, last;
	uint16_t table[TCPIP_GRO_TABLE];
};

/* Laid out as struct iovec. */
struct tcpip_iov {
	void *base;
	size_t len;
};

/*
 * Sets up `gro` once. `l2_len` is 0 (TUN) or 14 (TAP); `options` are TCPIP_GRO_NO_TCP... Errors:
 * ERANGE.
 */
int tcpip_gro_init(struct tcpip_gro *gro, uint32_t l2_len, uint32_t options);

/*
 * Coalesces a batch. Packets that cannot merge, and those that are no packets at all, come out
 * alone and unchanged with an all-zero vnet header. Headers of the head items of merged groups are
 * rewritten in place (lengths, IPv4 checksum, pseudo-header sum, PSH). `items` is borrowed until
 * the next call. Returns the number of groups in gro->groups, or TCPIP_ERANGE when n >
 * TCPIP_GRO_MAX.
 *
 * What merges: IPv4 without options or fragments and IPv6 without extension headers, lengths exact;
 * the same addresses, ports, TOS or traffic class and flow label, TTL, DF and reserved bits. TCP:
 * flags ACK or ACK|PSH only, same acknowledgement, window and options, adjoining sequence numbers
 * (append or prepend); a short or PSH segment ends its group. UDP: a checksum other than 0, in
 * order of arrival, equal sizes with a shorter last one. At most 65535 bytes of IP packet. Without
 * VERIFIED both checksums must be right.
 */
int tcpip_gro_run(struct tcpip_gro *gro, const struct tcpip_gro_item *items, uint32_t n);

/*
 * Writes the pieces of a group (without vh) to `out`. Returns how many, 0 when `max` is too small.
 */
uint32_t tcpip_gro_iov(const struct tcpip_gro *gro, const struct tcpip_gro_group *group,
		       struct tcpip_iov *out, uint32_t max);

/* ---- 11. Header writers ---------------------------------------------------------------------- */

/* Writes a 20-byte IPv4 header with DF, id 0 and its checksum. `len` is that of the payload. */
void tcpip_ipv4_write(uint8_t *out, const uint8_t src[4], const uint8_t dst[4], uint8_t protocol,
		      uint8_t ttl, uint8_t tos, uint16_t len);

/* Writes a 40-byte IPv6 header. `len` is that of the payload. */
void tcpip_ipv6_write(uint8_t *out, const uint8_t src[16], const uint8_t dst[16], uint8_t protocol,
		      uint8_t hops, uint8_t traffic_class, uint16_t len);

/* Writes an 8-byte UDP header, checksum 0. `len` is that of the payload. */
void tcpip_udp_write(uint8_t *out, uint16_t src_port, uint16_t dst_port, uint16_t len);

/* ---- 12. ICMP errors ------------------------------------------------------------------------- */

/*
 * Each writes a whole IP packet with an ICMP error about `packet` to `out` and returns its length.
 * `src` is the address that the error comes from. The quote is cut so that the result stays within
 * 576 bytes for IPv4 (RFC 1812 section 4.3.2.3) and 1280 for IPv6 (RFC 4443 section 2.4 c).
 * EFORBIDDEN: no error may be sent about an ICMP error, a later fragment, a packet from an address
 * that is not one host's, or one sent to many (RFC 1122 section 3.2.2, RFC 1812 section 4.3.2.7,
 * RFC 4443 section 2.4 e; packet-too-big may answer multicast). Other errors: those of parsing;
 * ESPACE.
 */
int tcpip_icmp4_unreachable(uint8_t *out, size_t cap, const uint8_t src[4], const uint8_t *packet,
			    size_t len, uint8_t code);
int tcpip_icmp4_frag_needed(uint8_t *out, size_t cap, const uint8_t src[4], const uint8_t *packet,
			    size_t len, uint16_t mtu);
int tcpip_icmp4_time_exceeded(uint8_t *out, size_t cap, const uint8_t src[4], const uint8_t *packet,
			      size_t len, uint8_t code);
int tcpip_icmp6_unreachable(uint8_t *out, size_t cap, const uint8_t src[16], const uint8_t *packet,
			    size_t len, uint8_t code);
int tcpip_icmp6_too_big(uint8_t *out, size_t cap, const uint8_t src[16], const uint8_t *packet,
			size_t len, uint32_t mtu);
int tcpip_icmp6_time_exceeded(uint8_t *out, size_t cap, const uint8_t src[16],
			      const uint8_t *packet, size_t len, uint8_t code);

#define TCPIP_ICMP4_ERROR_MAX 576u
#define TCPIP_ICMP6_ERROR_MAX 1280u

/* ---- 13. Addresses and prefixes -------------------------------------------------------------- */

#define TCPIP_ADDR_TEXT_MAX   46u /* with the final NUL */
#define TCPIP_PREFIX_TEXT_MAX 50u /* with the final NUL */
#define TCPIP_MAC_TEXT_MAX    18u /* with the final NUL */

struct tcpip_prefix {
	uint8_t family;   /* 4 or 6 */
	uint8_t len;      /* 0..32 or 0..128 */
	uint8_t addr[16]; /* IPv4: the first 4; the rest is zero. Host bits are kept. */
};

/* Strict: dotted quads without leading zeros; RFC 4291 text without zone. Errors: TCPIP_ETEXT. */
int tcpip_addr4_parse(const char *text, uint8_t out[4]);
int tcpip_addr6_parse(const char *text, uint8_t out[16]);

/* Either family; returns 4 or 6. IPv4 fills the first 4 bytes of `out` and zeroes the rest. */
int tcpip_addr_parse(const char *text, uint8_t out[16]);

/*
 * Write text with its NUL; IPv6 as RFC 5952 has it. Return its length, or TCPIP_ESPACE /
 * TCPIP_ERANGE.
 */
int tcpip_addr4_format(const uint8_t addr[4], char *buf, size_t cap);
int tcpip_addr6_format(const uint8_t addr[16], char *buf, size_t cap);
int tcpip_addr_format(uint8_t family, const uint8_t *addr, char *buf, size_t cap);

/*
 * "10.0.0.1/24", "fd00::/8", or an address alone (a host prefix). Host bits are kept. Errors:
 * ETEXT.
 */
int tcpip_prefix_parse(const char *text, struct tcpip_prefix *out);
int tcpip_prefix_format(const struct tcpip_prefix *prefix, char *buf, size_t cap);

/* Zeroes the host bits. */
void tcpip_prefix_mask(struct tcpip_prefix *prefix);

/* Whether the host bits are all zero. */
bool tcpip_prefix_is_network(const struct tcpip_prefix *prefix);

/* `addr` has 4 or 16 bytes by `family`; another family than the prefix's is never contained. */
bool tcpip_prefix_contains(const struct tcpip_prefix *prefix, uint8_t family, const uint8_t *addr);
bool tcpip_prefix_overlaps(const struct tcpip_prefix *a, const struct tcpip_prefix *b);

/* The netmask as address bytes: 4 for family 4, 16 for family 6. */
void tcpip_prefix_netmask(const struct tcpip_prefix *prefix, uint8_t *out);

/* "02:00:5e:10:00:01", separators ':' or '-' (one kind throughout), two digits each. */
int tcpip_mac_parse(const char *text, uint8_t out[6]);
int tcpip_mac_format(const uint8_t mac[6], char *buf, size_t cap);

/* ---- 14. Address pool ------------------------------------------------------------------------ */

#define TCPIP_POOL_MAX 65536u /* addresses; a larger prefix gives its first ones */

struct tcpip_pool;

/*
 * A pool of the host addresses of a prefix: without network and broadcast address (IPv4 up to /30),
 * without the subnet-router anycast address (IPv6 up to /126, RFC 4291 section 2.6.1); /31, /32,
 * /127 and /128 whole. The new pool is the caller's. Errors: ERANGE (no prefix), ENOMEM.
 */
int tcpip_pool_create(const struct tcpip_prefix *prefix, struct tcpip_pool **ret);

/* Accepts NULL. Returns NULL. */
struct tcpip_pool *tcpip_pool_free(struct tcpip_pool *pool);

/*
 * Takes an address: first in ascending order, then the one released longest ago. O(1). Errors:
 * EFULL.
 */
int tcpip_pool_next(struct tcpip_pool *pool, uint8_t *addr);

/* Takes this one. Errors: ERANGE (not in the pool), ESTATE (in use). O(1). */
int tcpip_pool_reserve(struct tcpip_pool *pool, const uint8_t *addr);

/* Gives one back. Errors: ERANGE (not in the pool), ESTATE (not in use). O(1). */
int tcpip_pool_release(struct tcpip_pool *pool, const uint8_t *addr);

uint32_t tcpip_pool_size(const struct tcpip_pool *pool);
uint32_t tcpip_pool_available(const struct tcpip_pool *pool);

#ifdef __cplusplus
}
#endif

#endif
