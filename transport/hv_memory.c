// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of the guest's that the host knows of (GPADLs), and address space that
 * the host has set apart for a device (MMIO).
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cc_platform.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/ioport.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <asm/mshyperv.h>

#include "hv.h"

struct kmcl_hv_gpadl {
	struct vmbus_gpadl gpadl;
	void *mapped;		/* made here, or NULL */
	/* The rest is for memory from kmcl_hv_gpadl_alloc(). */
	bool kept;		/* it must never be used again */
	struct page **chunks;
	u32 n_chunks;
};

/*
 * In an isolated guest the host sees only memory that was made shared, which would
 * change what a client's buffers hold. Where the processor encrypts memory the
 * first says so; VBS isolation, without encryption, only the second knows of.
 */
bool kmcl_hv_is_isolated(void)
{
	return cc_platform_has(CC_ATTR_GUEST_MEM_ENCRYPT) || hv_is_isolation_supported();
}

void kmcl_hv_tell_hidden(const char *what)
{
	pr_warn_ratelimited("%s is refused in an isolated (confidential) guest: its memory is not the host's to see\n",
			    what);
}

static bool kmcl_hv_may_share(const char *what)
{
	if (!kmcl_hv_is_isolated())
		return true;

	kmcl_hv_tell_hidden(what);
	return false;
}

/* Called with @gpadls held. */
static int kmcl_hv_gpadl_establish(struct vmbus_channel *channel,
				   struct kmcl_hv_gpadl *g,
				   const struct kmcl_gpadl *gpadl, void *address)
{
#if KMCL_HV_ALLOC_BUFFER
	if (gpadl->made)
		return vmbus_establish_gpadl_caller_decrypted(channel, address,
							      gpadl->len, &g->gpadl);
#endif
	return vmbus_establish_gpadl(channel, address, gpadl->len, &g->gpadl);
}

/* Must the memory not be used again, for the host may still see it, or write to it? */
static bool kmcl_hv_gpadl_is_shared(const struct kmcl_hv_gpadl *g)
{
#if KMCL_HV_GPADL_DECRYPTED
	if (g->gpadl.decrypted)
		return true;
#endif
	return g->kept;
}

int kmcl_hv_gpadl_create(struct kmcl_link *link, struct kmcl_gpadl *gpadl)
{
	struct kmcl_hv_link *hv = to_hv_link(link);
	void *address = gpadl->address;
	struct kmcl_hv_wait wait;
	struct kmcl_hv_gpadl *g;
	int ret;

	if (!gpadl->made &&
	    !kmcl_hv_may_share("a GPADL of a client's own memory (see VmbChannelCreateGpadl())"))
		return -EOPNOTSUPP;
	/* Hosts before that do not answer to a teardown on a channel that is closed. */
	if (vmbus_proto_version < VERSION_WIN10) {
		pr_warn_ratelimited("GPADLs need VMBus 4.0, as of Windows Server 2016\n");
		return -EOPNOTSUPP;
	}
	/* hv_vmbus describes whole pages of the host's from their first byte on. */
	if (gpadl->offset % KMCL_WIRE_PAGE_SIZE || gpadl->len % KMCL_WIRE_PAGE_SIZE) {
		pr_warn_ratelimited("a GPADL must consist of whole pages; this one begins at byte %u of a page and has %u bytes\n",
				    gpadl->offset % KMCL_WIRE_PAGE_SIZE, gpadl->len);
		return -EOPNOTSUPP;
	}

	g = gpadl->made ? gpadl->private : kzalloc(sizeof(*g), GFP_KERNEL);
	if (!g)
		return -ENOMEM;

	/* ... and wants them in one piece. */
	if (!address) {
		g->mapped = vmap(gpadl->pages, gpadl->n_pages, VM_MAP, PAGE_KERNEL);
		ret = -ENOMEM;
		if (!g->mapped)
			goto free;
		address = g->mapped + gpadl->offset;
	}

	mutex_lock(&hv->gpadls);
	kmcl_hv_wait_begin(&wait, hv, "the making of a GPADL");
	ret = kmcl_hv_gpadl_establish(hv->channel, g, gpadl, address);
	kmcl_hv_wait_end(&wait);
	mutex_unlock(&hv->gpadls);
	if (ret)
		goto unmap;

	gpadl->handle = g->gpadl.gpadl_handle;
	gpadl->private = g;
	return 0;

unmap:
	vunmap(g->mapped);
free:
	if (gpadl->made)
		g->kept = !KMCL_HV_GPADL_DECRYPTED && kmcl_hv_is_isolated();
	else
		kfree(g);
	return ret;
}

/*
 * On return the host does not use the memory any more: it has answered, or has
 * withdrawn the offer and with it what it knew. Else an error: it was never told.
 * @what is for the log.
 */
int kmcl_hv_gpadl_teardown(struct kmcl_hv_link *hv, struct vmbus_gpadl *gpadl,
			   const char *what)
{
	struct vmbus_channel *channel = hv->channel;
	struct kmcl_hv_wait wait;
	int ret;

	mutex_lock(&hv->gpadls);
	kmcl_hv_wait_begin(&wait, hv, what);
	/* There will be memory for the message again. */
	while ((ret = vmbus_teardown_gpadl(channel, gpadl)) == -ENOMEM &&
	       !channel->rescind)
		msleep(20);
	kmcl_hv_wait_end(&wait);
	mutex_unlock(&hv->gpadls);

	if (channel->rescind)
		return 0;
	/* Not all versions of it pass on that the message could not be sent. */
	return ret ?: gpadl->gpadl_handle ? -EIO : 0;
}

int kmcl_hv_gpadl_delete(struct kmcl_link *link, struct kmcl_gpadl *gpadl)
{
	struct kmcl_hv_link *hv = to_hv_link(link);
	struct kmcl_hv_gpadl *g = gpadl->private;
	int ret;

	ret = kmcl_hv_gpadl_teardown(hv, &g->gpadl, "the teardown of a GPADL");
	if (ret)
		pr_err("VMBus device %s: the host cannot be told that GPADL %#x is over: error %d\n",
		       dev_name(&hv->dev->device), gpadl->handle, ret);
	if (gpadl->made) {
		g->kept = ret;
		return ret ? -EIO : 0;
	}
	vunmap(g->mapped);
	kfree(g);
	return ret ? -EIO : 0;
}

/* Memory that hv_vmbus can share with the host. */
int kmcl_hv_gpadl_alloc(struct kmcl_link *link, struct kmcl_gpadl *gpadl)
{
	struct kmcl_hv_gpadl *g = kzalloc(sizeof(*g), GFP_KERNEL);

	if (!g)
		return -ENOMEM;
#if KMCL_HV_ALLOC_BUFFER
	gpadl->address = vmbus_alloc_buffer(to_hv_link(link)->channel, gpadl->len,
					    &g->chunks, &g->n_chunks);
#else
	gpadl->address = __vmalloc(gpadl->len, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
#endif
	if (!gpadl->address) {
		kfree(g);
		return -ENOMEM;
	}
	gpadl->private = g;
	return 0;
}

void kmcl_hv_gpadl_free(struct kmcl_link *link, struct kmcl_gpadl *gpadl)
{
	struct kmcl_hv_gpadl *g = gpadl->private;

	if (kmcl_hv_gpadl_is_shared(g)) {
		pr_err("VMBus device %s: %u pages of a GPADL are still shared with the host, and never used again\n",
		       dev_name(&to_hv_link(link)->dev->device), gpadl->n_pages);
		return;
	}
#if KMCL_HV_ALLOC_BUFFER
	vmbus_free_buffer(gpadl->address, g->chunks, g->n_chunks);
#else
	vfree(gpadl->address);
#endif
	kfree(g);
}

void kmcl_hv_mmio_claim(struct kmcl_hv_link *hv)
{
	u64 size = hv->channel->offermsg.offer.mmio_megabytes * (u64)SZ_1M;
	struct resource *res;
	int ret;

	if (!size)
		return;

	ret = vmbus_allocate_mmio(&res, hv->dev, 0, -1, size, SZ_1M, false);
	if (ret) {
		pr_warn("%s: no room for %llu bytes of MMIO space: error %d\n",
			dev_name(&hv->dev->device), size, ret);
		return;
	}
	kmcl_link_set_mmio(&hv->link, res->start, size);
}

void kmcl_hv_mmio_release(struct kmcl_hv_link *hv)
{
	u64 start = hv->link.mmio_start, size = hv->link.mmio_size;

	kmcl_link_set_mmio(&hv->link, 0, 0);
	if (size)
		vmbus_free_mmio(start, size);
}
