// SPDX-License-Identifier: GPL-2.0
/*
 * The storage behaviour: its protocol, what disks answer, and faults.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "disk.h"
#include "guest.h"
#include "storage.h"

/* The guest's memory for data, behind all rings. */
#define DATA_PFN		0x800
#define DATA_PAGES		4

/* Each packet has its own. */
static u64 last_id;

static u8 *data(void)
{
	return machine.ram + DATA_PFN * PAGE_SIZE;
}

/* What has the host said last? False: nothing since @begin. */
static bool answered(struct channel *chan, u32 begin, struct storage_packet *answer)
{
	if (chan->out.head->write_index == begin)
		return false;
	memcpy(answer, chan->out.data + begin + sizeof(struct packet_header), sizeof(*answer));
	return true;
}

/* The answer's status, or -1 if there is none. */
static long asked(struct channel *chan, struct storage_packet *pkt)
{
	u32 begin = chan->out.head->write_index;

	guest_sends_payload(chan, PACKET_DATA, PACKET_WANTS_COMPLETION, ++last_id, NULL, 0, pkt,
			    sizeof(*pkt));
	if (!answered(chan, begin, pkt))
		return -1;
	EXPECT(pkt->operation == STORAGE_COMPLETE);
	return pkt->status;
}

static long asked_for(struct channel *chan, u32 operation)
{
	struct storage_packet pkt = { .operation = operation };

	return asked(chan, &pkt);
}

static long asked_for_version(struct channel *chan, u16 version)
{
	struct storage_packet pkt = { .operation = STORAGE_QUERY_VERSION, .version = version };

	return asked(chan, &pkt);
}

static struct channel *initialized(void)
{
	struct channel *chan = opened("a");

	EXPECT(asked_for(chan, STORAGE_BEGIN) == NT_SUCCESS);
	EXPECT(asked_for_version(chan, STORAGE_VERSION(6, 2)) == NT_SUCCESS);
	EXPECT(asked_for(chan, STORAGE_QUERY_PROPERTIES) == NT_SUCCESS);
	EXPECT(asked_for(chan, STORAGE_END) == NT_SUCCESS);
	return chan;
}

static struct channel *ready(const char *offer)
{
	scenario_line("unit", offer);
	connect_bus();
	return initialized();
}

/* The offer goes and comes back. */
static struct channel *ready_again(void)
{
	withdraw_and_release("a");
	usleep(60000);
	settle();
	return initialized();
}

/* @cdb as a string of bytes; the data are @bytes of the guest's pages. */
static void sends(struct channel *chan, u8 unit, const char *cdb, u32 cdb_len, bool in, u32 bytes)
{
	struct storage_packet pkt = {
		.operation = STORAGE_EXECUTE,
		.srb = { .unit = unit, .in = in, .data_length = bytes, .cdb_length = cdb_len },
	};
	struct {
		struct packet_ranges head;
		struct wire_range range;
		u64 pfns[DATA_PAGES];
	} __packed extra = { .head.count = 1, .range.length = bytes };
	u32 pages = (bytes + PAGE_SIZE - 1) / PAGE_SIZE, i;

	memcpy(pkt.srb.bytes, cdb, cdb_len);
	for (i = 0; i < DATA_PAGES; i++)
		extra.pfns[i] = DATA_PFN + i;
	if (bytes)
		guest_sends_payload(chan, PACKET_GPA_DIRECT, PACKET_WANTS_COMPLETION, ++last_id,
				    &extra, sizeof(extra.head) + sizeof(extra.range) + 8 * pages,
				    &pkt, sizeof(pkt));
	else
		guest_sends_payload(chan, PACKET_DATA, PACKET_WANTS_COMPLETION, ++last_id, NULL, 0,
				    &pkt, sizeof(pkt));
}

static struct storage_srb commands(struct channel *chan, u8 unit, const char *cdb, u32 cdb_len,
				   bool in, u32 bytes)
{
	struct storage_packet answer = { 0 };
	u32 begin = chan->out.head->write_index;

	sends(chan, unit, cdb, cdb_len, in, bytes);
	EXPECT(answered(chan, begin, &answer));
	EXPECT(answer.operation == STORAGE_COMPLETE && answer.status == NT_SUCCESS);
	return answer.srb;
}

#define send(chan, unit, cdb, in, bytes)	\
	sends(chan, unit, cdb, sizeof(cdb) - 1, in, bytes)
#define command(chan, unit, cdb, in, bytes)	\
	commands(chan, unit, cdb, sizeof(cdb) - 1, in, bytes)

static bool failed(const struct storage_srb *srb, u8 key, u8 asc)
{
	return srb->srb_status == (SRB_ERROR | SRB_SENSE_VALID) && srb->scsi_status == 2 &&
	       srb->sense_length == 18 && srb->bytes[2] == key && srb->bytes[12] == asc &&
	       !srb->data_length;
}

static void it_begins_step_by_step(void)
{
	struct storage_packet pkt = { .operation = STORAGE_QUERY_PROPERTIES };
	struct channel *chan;

	scenario_line("unit", "offer name=a behaviour=storage disk=1 subs=3 io-version=6.0");
	connect_bus();
	chan = opened("a");
	EXPECT(asked_for(chan, STORAGE_END) == NT_INVALID_DEVICE_REQUEST);
	EXPECT(asked_for_version(chan, STORAGE_VERSION(6, 0)) == NT_INVALID_DEVICE_REQUEST);
	EXPECT(asked_for(chan, STORAGE_BEGIN) == NT_SUCCESS);
	EXPECT(asked_for(chan, STORAGE_QUERY_PROPERTIES) == NT_INVALID_DEVICE_REQUEST);
	EXPECT(asked_for(chan, STORAGE_EXECUTE) == NT_INVALID_DEVICE_REQUEST);
	EXPECT(violations() == 4);
	EXPECT(asked_for_version(chan, STORAGE_VERSION(6, 2)) == NT_REVISION_MISMATCH);
	EXPECT(asked_for_version(chan, STORAGE_VERSION(6, 1)) == NT_REVISION_MISMATCH);
	EXPECT(asked_for_version(chan, STORAGE_VERSION(6, 0)) == NT_SUCCESS);
	EXPECT(asked(chan, &pkt) == NT_SUCCESS);
	EXPECT(pkt.properties.most_subs == 3 && pkt.properties.flags == STORAGE_MULTI_CHANNEL);
	EXPECT(pkt.properties.most_bytes == 512 << 10);
	EXPECT(asked_for(chan, STORAGE_END) == NT_SUCCESS);
	EXPECT(violations() == 4);
}

static void sub_channels_come_when_asked_for(void)
{
	struct storage_packet pkt = { .operation = STORAGE_CREATE_SUBS, .subs = 4 };
	struct channel *chan = ready("offer name=a behaviour=storage disk=1 subs=3"), *sub;

	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 1);
	EXPECT(asked(chan, &pkt) == NT_INVALID_PARAMETER);
	pkt.operation = STORAGE_CREATE_SUBS;
	pkt.subs = 2;
	EXPECT(asked(chan, &pkt) == NT_SUCCESS);
	settle();
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 3);
	sub = offer_by_name("a")->sub[1];
	open_channel(sub->relid);
	EXPECT(command(sub, 0, "\0\0\0\0\0\0", false, 0).srb_status == SRB_SUCCESS);
	EXPECT(asked_for(sub, STORAGE_BEGIN) == NT_INVALID_DEVICE_REQUEST);
	/* The next opening has none until it asks. */
	close_channel(sub->relid);
	close_channel(chan->relid);
	say_channel(MSG_RELID_RELEASED, sub->relid);
	chan = opened("a");
	EXPECT(heard_of(MSG_OFFER, NULL, 0) == 3);
}

static void disks_say_what_they_are(void)
{
	struct channel *chan = ready("offer name=a behaviour=storage disk=1 disk=3");
	struct storage_srb srb;

	srb = command(chan, 0, "\x12\0\0\0\x24\0", true, 36);
	EXPECT(srb.srb_status == SRB_SUCCESS && srb.data_length == 36);
	EXPECT(data()[0] == 0 && !memcmp(data() + 8, "vmbhost disk            1.0 ", 28));
	command(chan, 2, "\x12\0\0\0\x24\0", true, 36);
	EXPECT(data()[0] == 0x7f);
	srb = command(chan, 1, "\x25\0\0\0\0\0\0\0\0\0", true, 8);
	EXPECT(srb.data_length == 8 && !memcmp(data(), "\0\0\x17\xff\0\0\2\0", 8));
	srb = command(chan, 1, "\x9e\x10\0\0\0\0\0\0\0\0\0\0\0\x20\0\0", true, 32);
	EXPECT(srb.data_length == 32 && !memcmp(data() + 4, "\0\0\x17\xff\0\0\2\0", 8));
	srb = command(chan, 0, "\xa0\0\0\0\0\0\0\0\x10\0\0\0", true, 4096);
	EXPECT(srb.data_length == 24 && data()[3] == 16 && data()[9] == 0 && data()[17] == 1);
	srb = command(chan, 0, "\x1a\0\x08\0\xff\0", true, 255);
	EXPECT(srb.data_length == 24 && data()[4] == 8 && data()[6] == 4);
	srb = command(chan, 0, "\x12\1\xb0\0\xff\0", true, 255);
	EXPECT(srb.data_length == 64 && data()[1] == 0xb0 && data()[20] == 0xff);
	srb = command(chan, 0, "\x12\1\xee\0\xff\0", true, 255);
	EXPECT(failed(&srb, 5, 0x24));
	srb = command(chan, 0, "\xf1\0\0\0\0\0", false, 0);
	EXPECT(failed(&srb, 5, 0x20));
	srb = command(chan, 5, "\0\0\0\0\0\0", false, 0);
	EXPECT(srb.srb_status == SRB_INVALID_UNIT);
	EXPECT(!violations());
}

static void what_is_written_is_read(void)
{
	struct channel *chan = ready("offer name=a behaviour=storage disk=1 disk=1 reoffer=1");
	struct storage_srb srb;
	u32 i;

	for (i = 0; i < 3 * 512; i++)
		data()[i] = i * 7 + 1;
	srb = command(chan, 1, "\x2a\0\0\0\7\xfd\0\0\3\0", false, 1536);
	EXPECT(srb.srb_status == SRB_SUCCESS && srb.data_length == 1536);
	srb = command(chan, 1, "\x35\0\0\0\0\0\0\0\0\0", false, 0);
	EXPECT(srb.srb_status == SRB_SUCCESS);
	/* It is the disk's, not the channel's. */
	withdraw_and_release("a");
	chan = opened("a");
	EXPECT(asked_for(chan, STORAGE_EXECUTE) == NT_INVALID_DEVICE_REQUEST);
	asked_for(chan, STORAGE_BEGIN);
	asked_for_version(chan, STORAGE_VERSION(6, 2));
	asked_for(chan, STORAGE_END);
	memset(data(), 0, 1536);
	srb = command(chan, 1, "\x88\0\0\0\0\0\0\0\7\xfe\0\0\0\2\0\0", true, 1024);
	EXPECT(srb.srb_status == SRB_SUCCESS && srb.data_length == 1024);
	for (i = 0; i < 1024 && data()[i] == (u8)((i + 512) * 7 + 1); i++)
		;
	EXPECT(i == 1024);
	srb = command(chan, 0, "\x28\0\0\0\7\xfe\0\0\2\0", true, 1024);
	EXPECT(srb.data_length == 1024 && !data()[0] && !data()[1023]);

	/* Unmapped blocks are zero; a list with a bad range does nothing. */
	memset(data(), 0, 40);
	memcpy(data(), "\0\x26\0\x20", 4);
	memcpy(data() + 8, "\0\0\0\0\0\0\7\xfd\0\0\0\2\0\0\0\0", 16);
	memcpy(data() + 24, "\0\0\0\0\0\0\7\xff\0\0\0\2\0\0\0\0", 16);
	srb = command(chan, 1, "\x42\0\0\0\0\0\0\0\x28\0", false, 40);
	EXPECT(failed(&srb, 5, 0x21));
	command(chan, 1, "\x28\0\0\0\7\xfd\0\0\1\0", true, 512);
	EXPECT(data()[0] == 1);
	memset(data(), 0, 40);
	memcpy(data(), "\0\x16\0\x10", 4);
	memcpy(data() + 8, "\0\0\0\0\0\0\7\xfd\0\0\0\2\0\0\0\0", 16);
	srb = command(chan, 1, "\x42\0\0\0\0\0\0\0\x18\0", false, 24);
	EXPECT(srb.srb_status == SRB_SUCCESS);
	command(chan, 1, "\x28\0\0\0\7\xfd\0\0\3\0", true, 1536);
	EXPECT(!data()[0] && !data()[1023] && data()[1024] == (u8)(1024 * 7 + 1));
}

/* Of what an earlier start has made all is still there. */
static void a_file_is_made_once(void)
{
	char name[] = "/tmp/vmbhost-unit-XXXXXX", what[64];
	u8 block[2 * DISK_BLOCK] = { 0 };
	struct disk disk = { 0 };
	struct channel *chan;
	struct storage_srb srb;
	int fd = mkstemp(name);

	EXPECT(fd >= 0);
	snprintf(what, sizeof(what), "offer name=a behaviour=storage disk=1:%s", name);
	chan = ready(what);
	memset(data(), 0x5a, DISK_BLOCK);
	srb = command(chan, 0, "\x2a\0\0\0\7\xff\0\0\1\0", false, DISK_BLOCK);
	EXPECT(srb.srb_status == SRB_SUCCESS);
	srb = command(chan, 0, "\x35\0\0\0\0\0\0\0\0\0", false, 0);
	EXPECT(srb.srb_status == SRB_SUCCESS);
	EXPECT(pread(fd, block, sizeof(block), (1 << 20) - sizeof(block)) == sizeof(block));
	EXPECT(!block[0] && block[DISK_BLOCK] == 0x5a && block[2 * DISK_BLOCK - 1] == 0x5a);
	snprintf(what, sizeof(what), "2:%s", name);
	EXPECT(!disk_make(&disk, what) && disk.blocks == (1 << 20) / DISK_BLOCK);
	EXPECT(disk.bytes[(1 << 20) - 1] == 0x5a);
	munmap(disk.bytes, 1 << 20);
	unlink(name);
	snprintf(what, sizeof(what), "0:%s", name);
	EXPECT(disk_make(&disk, what) && disk_make(&disk, name));
	close(fd);
}

static void what_is_too_much_is_refused(void)
{
	struct channel *chan = ready("offer name=a behaviour=storage disk=1");
	struct storage_srb srb;

	srb = command(chan, 0, "\x28\0\0\0\7\xff\0\0\2\0", true, 1024);
	EXPECT(failed(&srb, 5, 0x21));
	srb = command(chan, 0, "\x88\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\0\0", true,
		      1024);
	EXPECT(failed(&srb, 5, 0x21));
	srb = command(chan, 0, "\x28\0\0\0\0\0\0\0\4\0", true, 1024);
	EXPECT(failed(&srb, 5, 0x24));
	srb = command(chan, 0, "\x28\0\0\0\0\0\0\0\2\0", false, 1024);
	EXPECT(failed(&srb, 5, 0x24));
	srb = command(chan, 0, "\x28\0\0\0\0\0\0\0\0\0", true, 0);
	EXPECT(srb.srb_status == SRB_SUCCESS && !srb.data_length);
	EXPECT(!violations());
}

static void faults_go_by_number(void)
{
	struct channel *chan =
		ready("offer name=a behaviour=storage disk=1 io-fail=3 io-short=4 io-lose=5");
	struct storage_packet answer;
	struct storage_srb srb;
	u32 begin;

	EXPECT(command(chan, 0, "\x28\0\0\0\0\0\0\0\2\0", true, 1024).data_length == 1024);
	EXPECT(command(chan, 0, "\x2a\0\0\0\0\0\0\0\2\0", false, 1024).data_length == 1024);
	srb = command(chan, 0, "\x28\0\0\0\0\0\0\0\2\0", true, 1024);
	EXPECT(failed(&srb, 3, 0x11));
	EXPECT(command(chan, 0, "\x28\0\0\0\0\0\0\0\x18\0", true, 12288).data_length == 4096);
	begin = chan->out.head->write_index;
	send(chan, 0, "\x28\0\0\0\0\0\0\0\2\0", true, 1024);
	settle();
	EXPECT(!answered(chan, begin, &answer));
	/* A reset gives up what is lost, before it is answered. */
	asked_for(chan, STORAGE_RESET_BUS);
	EXPECT(answered(chan, begin, &answer) && answer.srb.srb_status == SRB_ABORTED);
	close_channel(chan->relid);
	EXPECT(logged("\"event\":\"storage\"", "\"failed\":1,\"short\":1,\"lost\":1") == 1);
	EXPECT(logged("\"event\":\"storage\"", "\"aborted\":1,\"most_held\":1,\"left\":0") == 1);
}

/* Also one that has been opened anew meanwhile; then it goes on. */
static void a_stalled_host_reads_nothing(void)
{
	struct channel *chan =
		ready("offer name=a behaviour=storage disk=1 io-stall=1000 io-stall-after=2");
	struct storage_packet answer;
	u32 begin;

	EXPECT(command(chan, 0, "\x28\0\0\0\0\0\0\0\2\0", true, 1024).data_length == 1024);
	EXPECT(command(chan, 0, "\x28\0\0\0\0\0\0\0\2\0", true, 1024).data_length == 1024);
	EXPECT(asked_for(chan, STORAGE_RESET_BUS) == -1);
	EXPECT(logged("\"event\":\"stall\"", "\"for\":1000") == 1);
	close_channel(chan->relid);
	give_rings(chan->relid, false);
	open_channel(chan->relid);
	begin = chan->out.head->write_index;
	EXPECT(asked_for(chan, STORAGE_BEGIN) == -1);
	usleep(1000000);
	settle();
	EXPECT(answered(chan, begin, &answer) && answer.status == NT_SUCCESS);
	EXPECT(asked_for_version(chan, STORAGE_VERSION(6, 2)) == NT_SUCCESS);
}

/* All the host's packets but completions: how many, and the last one's operation. */
static u32 told(const struct channel *chan, u32 at, u32 *operation)
{
	struct packet_header head;
	u32 count = 0;

	while (at < chan->out.head->write_index) {
		memcpy(&head, chan->out.data + at, sizeof(head));
		if (head.type == PACKET_DATA) {
			count++;
			memcpy(operation, chan->out.data + at + head.offset8 * 8, 4);
			EXPECT(!head.id && !head.flags);
		}
		at += head.len8 * 8 + RING_TRAILER;
	}
	return count;
}

static void a_unit_goes_and_another_disk_comes(void)
{
	struct channel *chan =
		ready("offer name=a behaviour=storage disk=1 disk=1 detach=2 attach=2 attach-ms=9");
	u32 begin = chan->out.head->write_index, operation = 0;
	struct storage_srb srb;

	command(chan, 0, "\x28\0\0\0\0\0\0\0\1\0", true, 512);
	command(chan, 1, "\x28\0\0\0\0\0\0\0\1\0", true, 512);
	EXPECT(!told(chan, begin, &operation));
	send(chan, 1, "\x28\0\0\0\0\0\0\0\1\0", true, 512);
	EXPECT(told(chan, begin, &operation) == 1 && operation == STORAGE_REMOVE);
	srb = command(chan, 1, "\0\0\0\0\0\0", false, 0);
	EXPECT(srb.srb_status == SRB_INVALID_UNIT);
	srb = command(chan, 0, "\xa0\0\0\0\0\0\0\0\x10\0\0\0", true, 4096);
	EXPECT(srb.data_length == 16 && data()[3] == 8 && !data()[9]);
	EXPECT(command(chan, 0, "\0\0\0\0\0\0", false, 0).srb_status == SRB_SUCCESS);
	usleep(60000);
	settle();
	EXPECT(told(chan, begin, &operation) == 2 && operation == STORAGE_ENUMERATE);
	srb = command(chan, 1, "\x12\1\x83\0\xff\0", true, 255);
	EXPECT(srb.srb_status == SRB_SUCCESS && data()[23] == 'a');
	command(chan, 1, "\x25\0\0\0\0\0\0\0\0\0", true, 8);
	EXPECT(!memcmp(data(), "\0\0\x0f\xff\0\0\2\0", 8));
	EXPECT(!violations());
}

#define NAME_OF(chan, unit)	command(chan, unit, "\x12\1\x83\0\xff\0", true, 255)

static void another_disk_is_there_with_the_next_offer(void)
{
	struct channel *chan =
		ready("offer name=a behaviour=storage disk=1 exchange=2 reoffer=1");

	EXPECT(NAME_OF(chan, 0).srb_status == SRB_SUCCESS && data()[23] == '0');
	chan = ready_again();
	EXPECT(NAME_OF(chan, 0).srb_status == SRB_SUCCESS && data()[23] == 'a');
	command(chan, 0, "\x25\0\0\0\0\0\0\0\0\0", true, 8);
	EXPECT(!memcmp(data(), "\0\0\x0f\xff\0\0\2\0", 8));
	EXPECT(!violations());
}

static void a_disk_does_not_say_who_it_is(void)
{
	struct channel *chan =
		ready("offer name=a behaviour=storage disk=1 disk=1 names=none reoffer=1");
	struct offer *offer = offer_by_name("a");
	struct storage_packet answer;
	struct storage_srb srb;
	u32 begin;

	EXPECT(NAME_OF(chan, 0).srb_status == SRB_SUCCESS);
	chan = ready_again();
	srb = NAME_OF(chan, 0);
	EXPECT(failed(&srb, 5, 0x24));
	EXPECT(NAME_OF(chan, 1).srb_status == SRB_SUCCESS);
	EXPECT(command(chan, 0, "\0\0\0\0\0\0", false, 0).srb_status == SRB_SUCCESS);

	offer->names = NAMES_EMPTY;
	srb = NAME_OF(chan, 0);
	EXPECT(srb.srb_status == SRB_SUCCESS && !srb.data_length);

	offer->names = NAMES_BUSY;
	EXPECT(NAME_OF(chan, 0).srb_status == SRB_BUSY);
	EXPECT(NAME_OF(chan, 0).srb_status == SRB_BUSY);
	EXPECT(NAME_OF(chan, 0).srb_status == SRB_SUCCESS && data()[23] == '0');

	offer->names = NAMES_SILENT;
	begin = chan->out.head->write_index;
	send(chan, 0, "\x12\1\x83\0\xff\0", true, 255);
	settle();
	EXPECT(!answered(chan, begin, &answer));
	EXPECT(!violations());
}

static void late_answers_come_in_another_order(void)
{
	struct channel *chan =
		ready("offer name=a behaviour=storage disk=1 io-delay=500 io-reorder=20000 seed=5");
	u32 at = chan->out.head->write_index, i, swapped = 0;
	u64 first = last_id + 1, sum = 0, last = 0;
	struct packet_header head;

	for (i = 0; i < 8; i++)
		send(chan, 0, "\x28\0\0\0\0\0\0\0\1\0", true, 512);
	settle();
	for (i = 0; i < 8; i++) {
		head = written(chan, at);
		EXPECT(head.type == PACKET_COMPLETION);
		sum += head.id - first;
		swapped += head.id < last;
		last = head.id;
		at += head.len8 * 8 + RING_TRAILER;
	}
	EXPECT(chan->out.head->write_index == at && sum == 28 && swapped);
	/* What is late when the channel closes is not told. */
	send(chan, 0, "\x28\0\0\0\0\0\0\0\1\0", true, 512);
	close_channel(chan->relid);
	EXPECT(logged("\"event\":\"storage\"", "\"left\":1") == 1);
}

const struct test tests_storage[] = {
	{ "storage: it begins step by step", it_begins_step_by_step },
	{ "storage: sub-channels come when asked for", sub_channels_come_when_asked_for },
	{ "storage: disks say what they are", disks_say_what_they_are },
	{ "storage: what is written is read", what_is_written_is_read },
	{ "storage: a file is made once", a_file_is_made_once },
	{ "storage: what is too much is refused", what_is_too_much_is_refused },
	{ "storage: faults go by number", faults_go_by_number },
	{ "storage: a stalled host reads nothing", a_stalled_host_reads_nothing },
	{ "storage: a unit goes and another disk comes", a_unit_goes_and_another_disk_comes },
	{ "storage: another disk is there with the next offer",
	  another_disk_is_there_with_the_next_offer },
	{ "storage: a disk does not say who it is", a_disk_does_not_say_who_it_is },
	{ "storage: late answers come in another order", late_answers_come_in_another_order },
	{ NULL, NULL },
};
