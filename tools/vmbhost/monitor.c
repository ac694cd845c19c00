// SPDX-License-Identifier: GPL-2.0
/*
 * Monitored notification, from the guest to the host.
 */
#include "channel.h"
#include "monitor.h"
#include "vm.h"

#define MONITOR_US		1000

/* The head of the page: 32 channels to a group. */
struct monitor_page {
	u32 state;
	u32 reserved;
	struct {
		u32 pending;
		u32 armed;
	} group[4];
};

static bool monitor_take(u32 id)
{
	struct monitor_page *page = vm_gpa(bus.vm, bus.monitor_page, PAGE_SIZE);
	u32 bit = 1u << id % 32;

	return page && __atomic_fetch_and(&page->group[id / 32].pending, ~bit,
					  __ATOMIC_SEQ_CST) & bit;
}

static void monitor_look(void *arg)
{
	struct offer *offer;

	(void)arg;
	for (offer = bus.offers; offer; offer = offer->next) {
		struct channel *chan = offer->primary;

		if (!offer->monitor || !chan || chan->state != CHANNEL_OPEN)
			continue;
		monitor_start();
		if (!monitor_take(offer->monitor - 1))
			continue;
		chan->count.signals_in++;
		channel_poll(chan);
	}
}

void monitor_start(void)
{
	static struct timer timer = { .fire = monitor_look };

	if (!timer.due)
		timer_set(&timer, MONITOR_US);
}
