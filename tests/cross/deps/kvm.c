/* SPDX-License-Identifier: BSD-2-Clause */
/* A stub of NetBSD's libkvm to link against: libuv asks it for the size of a process. On NetBSD the
 * system's own library of this name is loaded instead. */
void *kvm_open(void);
void *kvm_getproc2(void);
int kvm_close(void);

void *kvm_open(void)
{
	return (void *)0;
}

void *kvm_getproc2(void)
{
	return (void *)0;
}

int kvm_close(void)
{
	return 0;
}
