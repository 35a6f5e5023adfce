/* SPDX-License-Identifier: BSD-2-Clause */
/* error: texts of enum tcpip_error. */
#include <vpncore/tcpip.h>

static const char *const texts[] = {
	[-TCPIP_OK] = "success",
	[-TCPIP_ESHORT] = "the packet is truncated",
	[-TCPIP_EVERSION] = "unexpected IP version",
	[-TCPIP_EHEADER] = "impossible header length",
	[-TCPIP_ELENGTH] = "impossible packet length",
	[-TCPIP_EPROTO] = "unexpected protocol",
	[-TCPIP_ECHAIN] = "bad chain of IPv6 extension headers",
	[-TCPIP_EOPTION] = "malformed option",
	[-TCPIP_EFRAGMENT] = "not possible with a fragment",
	[-TCPIP_EGSOTYPE] = "segmentation type does not fit the packet",
	[-TCPIP_EGSOSIZE] = "impossible segment size",
	[-TCPIP_ECSUM] = "checksum position does not fit the packet",
	[-TCPIP_ESPACE] = "the output buffer is too small",
	[-TCPIP_EFORBIDDEN] = "no ICMP error may be sent about this packet",
	[-TCPIP_ETEXT] = "malformed address",
	[-TCPIP_ERANGE] = "argument out of range",
	[-TCPIP_EFULL] = "no address is left",
	[-TCPIP_ESTATE] = "the address is in use, or is not",
	[-TCPIP_ENOMEM] = "out of memory",
};

const char *tcpip_strerror(int err)
{
	if (err > 0)
		return texts[0];
	if (err <= -(int)(sizeof(texts) / sizeof(texts[0])))
		return "unknown error";
	return texts[-err];
}
