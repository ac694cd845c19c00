// SPDX-License-Identifier: GPL-2.0
/*
 * What is the same for all integration services: versions are agreed upon, requests are
 * numbered, answers are checked.
 */
#include <stdio.h>
#include <string.h>

#include "ic.h"
#include "log.h"

#define IC_MAX_BODY		sizeof(struct ic_shutdown)

static const struct ic_version ic_frameworks[] = { { 1, 0 }, { 3, 0 } };

static bool ic_same_version(struct ic_version a, struct ic_version b)
{
	return a.major == b.major && a.minor == b.minor;
}

/* Small numbers as often as large ones. */
static u32 ic_random(const struct channel *chan, u32 *turn)
{
	const struct ic *ic = chan->priv;
	u64 random = mix64(chan->offer->set.seed + (ic->count.lies << 8) + ++*turn);

	return (u32)random >> (random >> 32) % 32;
}

/* What no honest host sends, but near to what makes sense: one thing is wrong with it. */
static void ic_lie(struct channel *chan)
{
	struct {
		struct ic_pipe pipe;
		struct ic_head head;
		u32 body[16];
	} __packed msg = { .pipe.type = IC_PIPE_DATA };
	struct ic *ic = chan->priv;
	u32 turn = 0, len, i;

	ic->count.lies++;
	for (i = 0; i < ARRAY_SIZE(msg.body); i++)
		msg.body[i] = ic_random(chan, &turn);
	/* The guest is not to shut down for it. */
	msg.body[2] |= 0x10000;
	len = ic_random(chan, &turn) % sizeof(msg.body);
	msg.pipe.size = sizeof(msg.head) + len;
	msg.head = (struct ic_head){
		.framework = ic->framework, .version = ic->version, .size = len,
		.type = ic->asked[ic->last].type, .flags = IC_TRANSACTION | IC_REQUEST,
	};
	switch (ic_random(chan, &turn) % 8) {
	case 0:
		msg.pipe.type = ic_random(chan, &turn);
		break;
	case 1:
		msg.pipe.size = ic_random(chan, &turn);
		break;
	case 2:
		msg.head.size = ic_random(chan, &turn);
		break;
	case 3:
		msg.head.type = ic_random(chan, &turn) % 10;
		break;
	case 4:
		msg.head.flags = ic_random(chan, &turn);
		break;
	case 5:
		/* Less than a header. */
		msg.pipe.size = ic_random(chan, &turn) % sizeof(msg.head);
		len = 0;
		break;
	default:
		/* Versions: as many as there are, or not. */
		msg.head.type = IC_NEGOTIATE;
		msg.body[0] = ic_random(chan, &turn) % 16 | ic_random(chan, &turn) << 16;
		break;
	}
	msg.head.transaction = ++ic->last;
	ic->asked[ic->last].open = false;
	ic->asked[ic->last].lied = true;
	channel_send(chan, 0, 0, &msg, sizeof(msg.pipe) + sizeof(msg.head) + len);
}

u8 ic_request(struct channel *chan, u16 type, const void *body, u32 len)
{
	struct {
		struct ic_pipe pipe;
		struct ic_head head;
		u8 body[IC_MAX_BODY];
	} __packed msg = {
		.pipe = { .type = IC_PIPE_DATA, .size = sizeof(msg.head) + len },
		.head = { .type = type, .size = len, .flags = IC_TRANSACTION | IC_REQUEST },
	};
	struct ic *ic = chan->priv;
	u8 transaction;

	msg.head.framework = ic->framework;
	msg.head.version = ic->version;
	msg.head.transaction = ++ic->last;
	memcpy(msg.body, body, len);
	ic->asked[ic->last].open = true;
	ic->asked[ic->last].lied = false;
	ic->asked[ic->last].type = type;
	ic->count.asked++;
	channel_send(chan, 0, ic->count.asked, &msg, sizeof(msg.pipe) + msg.pipe.size);
	transaction = ic->last;
	if (chan->offer->set.ic_lies && !(ic->count.asked % chan->offer->set.ic_lies))
		ic_lie(chan);
	return transaction;
}

/* Versions up to the highest that the scenario has; all if it has none. */
static u16 ic_put_versions(const struct offer *offer, struct ic_version *to,
			   const struct ic_version *from, u32 max)
{
	u16 highest = offer->set.ic_version, n = 0;
	u32 i;

	for (i = 0; i < max && from[i].major; i++)
		if (!highest || (from[i].major << 8 | from[i].minor) <= highest)
			to[n++] = from[i];
	return n;
}

static void ic_ask_versions(struct channel *chan)
{
	const struct ic_service *service = ic_service(chan);
	struct ic_negotiate msg = { 0 };

	msg.frameworks = ic_put_versions(chan->offer, msg.versions, ic_frameworks,
					 ARRAY_SIZE(ic_frameworks));
	msg.services = ic_put_versions(chan->offer, msg.versions + msg.frameworks,
				       service->versions, IC_MAX_VERSIONS);
	ic_request(chan, IC_NEGOTIATE, &msg, offsetof(struct ic_negotiate, versions) +
		   (msg.frameworks + msg.services) * sizeof(msg.versions[0]));
}

static bool ic_has_version(const struct channel *chan, struct ic_version version,
			   const struct ic_version *of, u32 max)
{
	struct ic_version had[IC_MAX_VERSIONS];
	u32 n = ic_put_versions(chan->offer, had, of, max), i;

	for (i = 0; i < n && !ic_same_version(version, had[i]); i++)
		;
	return i < n;
}

static void ic_log_version(const char *key, struct ic_version version)
{
	char text[16];

	snprintf(text, sizeof(text), "%u.%u", version.major, version.minor);
	log_str(key, text);
}

/* What is wrong with what the guest has chosen, or NULL. */
static const char *ic_choose_versions(struct channel *chan, const struct ic_negotiate *msg, u32 len)
{
	struct ic *ic = chan->priv;

	if (msg->frameworks != 1 || msg->services != 1 ||
	    len < offsetof(struct ic_negotiate, versions[2]))
		return "an answer about versions that has not one of each";
	if (!ic_has_version(chan, msg->versions[0], ic_frameworks, ARRAY_SIZE(ic_frameworks)) ||
	    !ic_has_version(chan, msg->versions[1], ic_service(chan)->versions, IC_MAX_VERSIONS))
		return "a version that was not offered";
	ic->stage = IC_STAGE_READY;
	ic->framework = msg->versions[0];
	ic->version = msg->versions[1];
	return NULL;
}

static const char *ic_versions_answered(struct channel *chan, const void *body, u32 len)
{
	const struct ic_service *service = ic_service(chan);
	struct ic_negotiate msg = { 0 };
	struct ic *ic = chan->priv;
	const char *wrong = NULL;

	memcpy(&msg, body, len < sizeof(msg) ? len : sizeof(msg));
	if (len < offsetof(struct ic_negotiate, versions))
		return "an answer about versions that is too short";
	if (!msg.frameworks && !msg.services)
		ic->stage = IC_STAGE_REFUSED;
	else
		wrong = ic_choose_versions(chan, &msg, len);
	if (wrong)
		return wrong;
	log_begin("ic-versions");
	log_str("offer", chan->offer->name);
	log_u64("relid", chan->relid);
	ic_log_version("framework", ic->framework);
	ic_log_version("version", ic->version);
	log_end();
	if (ic->stage == IC_STAGE_READY && service->ready)
		service->ready(chan);
	return NULL;
}

static const char *ic_answered(struct channel *chan, const struct ic_head *head,
			       const void *body)
{
	struct ic *ic = chan->priv;

	if (ic->asked[head->transaction].lied)
		return NULL;
	if (!(head->flags & IC_RESPONSE))
		return "a message that is no answer";
	if (!ic->asked[head->transaction].open ||
	    ic->asked[head->transaction].type != head->type)
		return "an answer to no request";
	ic->asked[head->transaction].open = false;
	ic->count.answered++;
	if (head->type == IC_NEGOTIATE)
		return ic_versions_answered(chan, body, head->size);
	if (!ic_same_version(head->framework, ic->framework) ||
	    !ic_same_version(head->version, ic->version))
		return "an answer of another version";
	if (head->type == IC_SHUTDOWN) {
		log_begin("ic-shutdown");
		log_str("offer", chan->offer->name);
		log_u64("relid", chan->relid);
		log_hex("status", head->status);
		log_end();
	}
	if (head->status) {
		ic->count.refused++;
		return NULL;
	}
	if (!ic_service(chan)->answered)
		return NULL;
	return ic_service(chan)->answered(chan, head->transaction, body, head->size);
}

static const char *ic_message(struct channel *chan, const struct packet *pkt)
{
	const u32 heads = sizeof(struct ic_pipe) + sizeof(struct ic_head);
	struct ic_pipe pipe;
	struct ic_head head;

	if (pkt->type != PACKET_DATA)
		return "external data for an integration service";
	if (pkt->len < heads)
		return "a packet that is too short for an integration service";
	memcpy(&pipe, pkt->payload, sizeof(pipe));
	memcpy(&head, pkt->payload + sizeof(pipe), sizeof(head));
	if (pipe.type != IC_PIPE_DATA || pipe.size < sizeof(head) ||
	    pipe.size > pkt->len - sizeof(pipe))
		return "a pipe's header that makes no sense";
	if (head.size > pipe.size - sizeof(head))
		return "a message that is longer than its packet";
	return ic_answered(chan, &head, pkt->payload + heads);
}

void ic_packet(struct channel *chan, struct packet *pkt)
{
	const char *wrong = ic_message(chan, pkt);

	if (wrong)
		bus_violation(chan, wrong);
	channel_complete(chan, pkt, "", 0);
}

void ic_opened(struct channel *chan)
{
	chan->priv = xalloc(sizeof(struct ic));
	ic_ask_versions(chan);
}

void ic_closed(struct channel *chan)
{
	struct ic *ic = chan->priv;

	if (!ic)
		return;
	log_begin("ic");
	log_str("offer", chan->offer->name);
	log_u64("relid", chan->relid);
	log_u64("asked", ic->count.asked);
	log_u64("answered", ic->count.answered);
	log_u64("refused", ic->count.refused);
	log_u64("state", ic->state);
	log_u64("lies", ic->count.lies);
	log_end();
}
