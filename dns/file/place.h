/* SPDX-License-Identifier: BSD-2-Clause */
/* place: puts our text into resolv.conf, and keeps what stood there. */
#ifndef DNS_FILE_PLACE_H
#define DNS_FILE_PLACE_H

#include "file.h"

/* Brings the file there; with what it finds becoming what is brought back at the end. *ret_changed says
 * whether anything had to be done. [main] */
vpn_status dns_file_place(struct dns_file *f, bool *ret_changed, struct vpn_error *err);

#endif
