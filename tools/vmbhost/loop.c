// SPDX-License-Identifier: GPL-2.0
/*
 * The event loop.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "loop.h"

static int loop_epoll = -1;
static struct timer *loop_timers; /* by time */

static int loop_fd(void)
{
	if (loop_epoll < 0)
		loop_epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop_epoll < 0)
		die("epoll: %s", strerror(errno));
	return loop_epoll;
}

void loop_watch(struct loop_fd *watch)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = watch };

	if (epoll_ctl(loop_fd(), EPOLL_CTL_ADD, watch->fd, &event))
		die("epoll: %s", strerror(errno));
}

void loop_forget(struct loop_fd *watch)
{
	epoll_ctl(loop_fd(), EPOLL_CTL_DEL, watch->fd, NULL);
}

void timer_clear(struct timer *timer)
{
	struct timer **at;

	if (!timer->due)
		return;
	for (at = &loop_timers; *at != timer; at = &(*at)->next)
		;
	*at = timer->next;
	timer->due = 0;
}

void timer_set(struct timer *timer, u64 us)
{
	struct timer **at;

	timer_clear(timer);
	timer->due = now_us() + us;
	for (at = &loop_timers; *at && (*at)->due <= timer->due; at = &(*at)->next)
		;
	timer->next = *at;
	*at = timer;
}

static int loop_timeout(int wait_ms)
{
	u64 now = now_us(), ms;

	if (!loop_timers)
		return wait_ms;
	ms = loop_timers->due <= now ? 0 : (loop_timers->due - now + 999) / 1000;
	return wait_ms >= 0 && (u64)wait_ms < ms ? wait_ms : (int)ms;
}

/* Returns whether any was due. */
static bool loop_fire(void)
{
	/* Not those that are set meanwhile, or the descriptors might starve. */
	u64 now = now_us();
	bool any = false;

	while (loop_timers && loop_timers->due <= now) {
		struct timer *timer = loop_timers;

		any = true;
		timer_clear(timer);
		timer->fire(timer->arg);
	}
	return any;
}

/* One descriptor at a time: what one does may make another one go away. */
bool loop_turn(int wait_ms)
{
	struct epoll_event event;
	struct loop_fd *watch;
	int n;

	n = epoll_wait(loop_fd(), &event, 1, loop_timeout(wait_ms));
	if (n < 0 && errno != EINTR)
		die("epoll: %s", strerror(errno));
	if (n == 1) {
		watch = event.data.ptr;
		watch->ready(watch->arg);
	}
	return loop_fire() || n == 1;
}

void loop_run(void)
{
	for (;;)
		loop_turn(-1);
}

u64 loop_drain(int fd)
{
	u64 count = 0;

	if (read(fd, &count, sizeof(count)) < 0)
		return 0;
	return count;
}
