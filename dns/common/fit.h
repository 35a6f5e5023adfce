/* SPDX-License-Identifier: BSD-2-Clause */
/* fit: the figures that the backends' probe() answers with, so that they can be compared. */
#ifndef DNS_COMMON_FIT_H
#define DNS_COMMON_FIT_H

/* What the backend programs has the system's names in its hands. */
#define DNS_FIT_IN_CHARGE 90u
/* Nobody but the backend would write where it writes. */
#define DNS_FIT_FREE 60u
/* It works, until another program that has it in its hands writes there again. */
#define DNS_FIT_CONTESTED 20u
#define DNS_FIT_NONE      0u

#endif
