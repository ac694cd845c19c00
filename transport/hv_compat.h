/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where hv_vmbus differs between kernels. The rest of the transport is written
 * for the newest one.
 */
#ifndef VMBKMCL_HV_COMPAT_H
#define VMBKMCL_HV_COMPAT_H

#include <linux/version.h>

/* Before 6.3 hv_driver.remove() returned an int, which nobody looked at. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
typedef int kmcl_hv_remove_t;
#define KMCL_HV_REMOVED	0
#else
typedef void kmcl_hv_remove_t;
#define KMCL_HV_REMOVED
#endif

/*
 * Kernels that still have vmbus_sendpacket_pagebuffer() overwrite the number of
 * ranges in vmbus_sendpacket_mpb_desc() with 1. The change came with 6.16 and
 * was backported, so Kbuild looks at the header, and says 0 where it is sure.
 */
#ifndef KMCL_HV_ONE_RANGE
#define KMCL_HV_ONE_RANGE	1
#endif

/*
 * Newer kernels have vmbus_alloc_buffer() for memory that can be shared by all kinds of
 * isolated guests, and share it while it is being allocated; before, what vmalloc() gave
 * was shared when its GPADL was made, which not all kinds can. Kbuild looks at the header.
 */
#ifndef KMCL_HV_ALLOC_BUFFER
#define KMCL_HV_ALLOC_BUFFER	0
#endif

/*
 * Whether memory is still shared after the end of its GPADL, or after a GPADL that was
 * not made, hv_vmbus notes since 6.9, and in stable kernels. Before, nobody knows.
 */
#ifndef KMCL_HV_GPADL_DECRYPTED
#define KMCL_HV_GPADL_DECRYPTED	0
#endif

#endif
