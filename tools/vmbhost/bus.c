// SPDX-License-Identifier: GPL-2.0
/*
 * Messages: from the guest to those who handle them, and back.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bus.h"
#include "channel.h"
#include "hypercall.h"
#include "log.h"
#include "silence.h"
#include "synic.h"
#include "vm.h"

#define INBOX_SIZE		64
/* Should an acknowledgment get lost. */
#define OUTBOX_RETRY_US		2000

struct bus bus = { .max_version = VMBUS_VERSION(5, 3) };

struct letter {
	struct letter *next;
	u8 len;
	u8 bytes[HV_MESSAGE_PAYLOAD];
};

/* From the processors' threads to the bus'. */
static struct {
	pthread_mutex_t lock;
	struct letter letters[INBOX_SIZE];
	u32 first, count;
	struct loop_fd arrived;
} inbox = { .lock = PTHREAD_MUTEX_INITIALIZER };

/* The guest takes one message at a time. */
static struct {
	struct letter *first, **end;
	struct loop_fd taken[VM_MAX_CPUS];
	struct timer retry;
} outbox = { .end = &outbox.first };

void bus_violation(struct channel *chan, const char *what)
{
	log_begin("violation");
	if (chan) {
		chan->count.violations++;
		log_str("offer", chan->offer->name);
		log_u64("relid", chan->relid);
	}
	log_str("what", what);
	log_end();
}

u64 bus_post(u32 connection, const void *payload, u32 len)
{
	const u64 one = 1;
	bool room;

	/* Hosts before 5.0 have no such connection: so guests learn the version. */
	if (connection != VMBUS_CONNECTION &&
	    (connection != VMBUS_CONNECTION_5 || bus.max_version < VMBUS_VERSION(5, 0)))
		return HV_STATUS_INVALID_CONNECTION;

	pthread_mutex_lock(&inbox.lock);
	room = inbox.count < INBOX_SIZE;
	if (room) {
		struct letter *letter =
			&inbox.letters[(inbox.first + inbox.count++) % INBOX_SIZE];

		letter->len = len;
		memcpy(letter->bytes, payload, len);
		/* Handlers may look at whole structures. */
		memset(letter->bytes + len, 0, sizeof(letter->bytes) - len);
	}
	pthread_mutex_unlock(&inbox.lock);
	if (!room)
		return HV_STATUS_NO_BUFFERS;
	if (write(inbox.arrived.fd, &one, sizeof(one)) < 0)
		return HV_STATUS_NO_BUFFERS;
	return HV_STATUS_SUCCESS;
}

static void bus_send_waiting(void *arg)
{
	struct letter *letter;

	(void)arg;
	while ((letter = outbox.first)) {
		enum synic_result result =
			synic_send(bus.target_vp, VMBUS_MESSAGE_TYPE, letter->bytes, letter->len);

		if (result == SYNIC_BUSY) {
			timer_set(&outbox.retry, OUTBOX_RETRY_US);
			return;
		}
		if (result == SYNIC_OFF) {
			log_begin("message-lost");
			log_u64("type", ((struct msg_header *)letter->bytes)->type);
			log_end();
		}
		outbox.first = letter->next;
		if (!outbox.first)
			outbox.end = &outbox.first;
		free(letter);
	}
	timer_clear(&outbox.retry);
}

void bus_send(const void *msg, u8 len)
{
	struct letter *letter = xalloc(sizeof(*letter));

	letter->len = len;
	memcpy(letter->bytes, msg, len);
	*outbox.end = letter;
	outbox.end = &letter->next;
	bus_send_waiting(NULL);
}

static void bus_taken(void *arg)
{
	struct loop_fd *watch = arg;

	loop_drain(watch->fd);
	bus_send_waiting(NULL);
}

static bool bus_knows_version(u32 version)
{
	static const u32 known[] = {
		VMBUS_VERSION(2, 4), VMBUS_VERSION(3, 0), VMBUS_VERSION(4, 0),
		VMBUS_VERSION(4, 1), VMBUS_VERSION(5, 0), VMBUS_VERSION(5, 1),
		VMBUS_VERSION(5, 2), VMBUS_VERSION(5, 3), VMBUS_VERSION(6, 0),
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i] == version)
			return version <= bus.max_version;
	return false;
}

void bus_reset(void)
{
	struct letter *letter;

	while ((letter = outbox.first)) {
		outbox.first = letter->next;
		free(letter);
	}
	outbox.end = &outbox.first;
	offer_reset_all();
	while (bus.gpadls)
		gpadl_drop_all(bus.gpadls->relid);
	bus.version = 0;
	bus.offers_requested = false;
}

static void bus_initiate_contact(const struct msg_initiate_contact *msg)
{
	struct msg_version_response answer = {
		.head.type = MSG_VERSION_RESPONSE, .supported = bus_knows_version(msg->version),
	};
	u8 len = offsetof(struct msg_version_response, features);

	if (bus.version) {
		bus_violation(NULL, "contact while connected");
		bus_reset();
	}
	if (msg->target_vp >= bus.vm->cpus) {
		bus_violation(NULL, "contact for a processor that does not exist");
		return;
	}
	if (msg->version >= VMBUS_VERSION(5, 0) &&
	    (msg->sint != VMBUS_MESSAGE_SINT || msg->vtl)) {
		bus_violation(NULL, "contact for another interrupt source or trust level");
		answer.supported = false;
	}
	bus.target_vp = msg->target_vp;
	log_begin("contact");
	log_u64("major", msg->version >> 16);
	log_u64("minor", msg->version & 0xffff);
	log_u64("vp", msg->target_vp);
	log_hex("monitor0", msg->monitor_pages[0]);
	log_hex("monitor1", msg->monitor_pages[1]);
	log_u64("supported", answer.supported);
	log_end();

	if (answer.supported) {
		bus.monitor_page = msg->monitor_pages[1];
		bus.version = msg->version;
		answer.connection = msg->version >= VMBUS_VERSION(5, 0) ? VMBUS_CONNECTION_5 :
								     msg->version;
		/* Of version 6.0's features none is offered; guests cope. */
		if (msg->version >= VMBUS_VERSION(6, 0))
			len = sizeof(answer);
	}
	bus_send(&answer, len);
}

static void bus_unload(void)
{
	struct msg_header answer = { .type = MSG_UNLOAD_RESPONSE };

	log_begin("unload");
	log_end();
	bus_reset();
	bus_send(&answer, sizeof(answer));
}

static void bus_modify_channel(const struct msg_modify_channel *msg)
{
	struct msg_modify_channel_response answer = {
		.head.type = MSG_MODIFY_CHANNEL_RESPONSE, .relid = msg->relid,
	};
	struct channel *chan = channel_find(msg->relid);

	if (chan && msg->target_vp < bus.vm->cpus) {
		chan->vp = msg->target_vp;
		log_begin("modify-channel");
		log_u64("relid", msg->relid);
		log_u64("vp", msg->target_vp);
		log_end();
	} else {
		answer.status = NT_UNSUCCESSFUL;
		bus_violation(chan, "a channel moved to a processor that does not exist");
	}
	if (bus.version >= VMBUS_VERSION(5, 3))
		bus_send(&answer, sizeof(answer));
}

/* Sockets of Hyper-V: nobody listens. */
static void bus_tl_connect(const struct msg_tl_connect *msg)
{
	struct msg_tl_connect_result answer = {
		.head.type = MSG_TL_CONNECT_RESULT, .status = NT_CONNECTION_REFUSED,
		.guest_endpoint = msg->guest_endpoint, .host_service = msg->host_service,
	};

	log_begin("tl-connect");
	log_end();
	if (bus.version >= VMBUS_VERSION(5, 0))
		bus_send(&answer, sizeof(answer));
}

static void bus_open(const struct msg_open *msg)
{
	struct channel *chan = channel_find(msg->relid);

	if (chan)
		channel_open(chan, msg);
	else
		bus_violation(NULL, "open of a channel that does not exist");
}

static void bus_close(const struct msg_channel *msg)
{
	struct channel *chan = channel_find(msg->relid);

	if (chan && chan->state == CHANNEL_OPEN)
		channel_close_asked(chan, msg);
	else if (chan && chan->state == CHANNEL_RESCINDED)
		channel_close(chan, "by the guest");
	else
		bus_violation(chan, "close of a channel that is not open");
}

static void bus_relid_released(const struct msg_channel *msg)
{
	struct channel *chan = channel_find(msg->relid);

	if (chan && chan->state == CHANNEL_RESCINDED) {
		if (!silence_keeps(chan, SILENT_RELEASE, msg, sizeof(*msg)))
			offer_released(chan);
	} else {
		bus_violation(chan, "release of a channel that was not rescinded");
	}
}

static void bus_request_offers(void)
{
	if (bus.offers_requested)
		bus_violation(NULL, "offers requested twice");
	else
		offer_all();
	bus.offers_requested = true;
}

static const struct {
	u8 min;
	bool unconnected;
} bus_messages[] = {
	[MSG_REQUEST_OFFERS] = { sizeof(struct msg_header) },
	[MSG_OPEN] = { sizeof(struct msg_open) },
	[MSG_CLOSE] = { sizeof(struct msg_channel) },
	[MSG_GPADL_HEADER] = { sizeof(struct msg_gpadl_header) },
	[MSG_GPADL_BODY] = { sizeof(struct msg_gpadl_body) },
	[MSG_GPADL_TEARDOWN] = { sizeof(struct msg_gpadl_teardown) },
	[MSG_RELID_RELEASED] = { sizeof(struct msg_channel) },
	[MSG_INITIATE_CONTACT] = { sizeof(struct msg_initiate_contact), true },
	[MSG_UNLOAD] = { sizeof(struct msg_header), true },
	[MSG_TL_CONNECT] = { sizeof(struct msg_tl_connect) },
	[MSG_MODIFY_CHANNEL] = { sizeof(struct msg_modify_channel) },
};

void bus_handle(const void *msg, u32 len)
{
	const struct msg_header *head = msg;

	if (len < sizeof(*head) || head->type >= ARRAY_SIZE(bus_messages) ||
	    !bus_messages[head->type].min) {
		bus_violation(NULL, "a message of unknown type");
		return;
	}
	if (len < bus_messages[head->type].min) {
		bus_violation(NULL, "a message that is too short");
		return;
	}
	if (!bus.version && !bus_messages[head->type].unconnected) {
		bus_violation(NULL, "a message before contact");
		return;
	}
	switch (head->type) {
	case MSG_REQUEST_OFFERS:
		bus_request_offers();
		break;
	case MSG_OPEN:
		bus_open(msg);
		break;
	case MSG_CLOSE:
		bus_close(msg);
		break;
	case MSG_GPADL_HEADER:
		gpadl_header(msg, len);
		break;
	case MSG_GPADL_BODY:
		gpadl_body(msg, len);
		break;
	case MSG_GPADL_TEARDOWN:
		gpadl_teardown(msg);
		break;
	case MSG_RELID_RELEASED:
		bus_relid_released(msg);
		break;
	case MSG_INITIATE_CONTACT:
		bus_initiate_contact(msg);
		break;
	case MSG_UNLOAD:
		bus_unload();
		break;
	case MSG_TL_CONNECT:
		bus_tl_connect(msg);
		break;
	case MSG_MODIFY_CHANNEL:
		bus_modify_channel(msg);
		break;
	}
}

static void bus_arrived(void *arg)
{
	struct letter letter;
	bool any;

	(void)arg;
	loop_drain(inbox.arrived.fd);
	for (;;) {
		pthread_mutex_lock(&inbox.lock);
		any = inbox.count;
		if (any) {
			letter = inbox.letters[inbox.first];
			inbox.first = (inbox.first + 1) % INBOX_SIZE;
			inbox.count--;
		}
		pthread_mutex_unlock(&inbox.lock);
		if (!any)
			return;
		bus_handle(letter.bytes, letter.len);
	}
}

void bus_start(struct vm *vm)
{
	unsigned int i;

	bus.vm = vm;
	inbox.arrived.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	inbox.arrived.ready = bus_arrived;
	loop_watch(&inbox.arrived);
	outbox.retry.fire = bus_send_waiting;
	for (i = 0; i < vm->cpus; i++) {
		outbox.taken[i].fd = synic_ack_fd(i);
		outbox.taken[i].ready = bus_taken;
		outbox.taken[i].arg = &outbox.taken[i];
		loop_watch(&outbox.taken[i]);
	}
}
