// SPDX-License-Identifier: GPL-2.0
/*
 * Scenarios: lines of words.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "behaviour.h"
#include "bus.h"
#include "hostile.h"
#include "ic.h"
#include "log.h"
#include "scenario.h"
#include "silence.h"
#include "storage.h"

#define BLANKS			" \t,\r\n"

enum field_kind {
	FIELD_BOOL, FIELD_U16, FIELD_U32, FIELD_U64, FIELD_GUID, FIELD_NAME,
	FIELD_BEHAVIOUR, FIELD_TRICK, FIELD_PIPE, FIELD_REFUSE, FIELD_USER,
	FIELD_REOFFER, FIELD_POINT, FIELD_SILENT, FIELD_DISK, FIELD_ATTACH,
	FIELD_VERSION, FIELD_NAMES,
};

static const struct field {
	const char *key;
	enum field_kind kind;
	size_t at;
	const char *help;
} fields[] = {
#define FIELD(key, kind, member, help) { key, kind, offsetof(struct offer, member), help }
	FIELD("name", FIELD_NAME, name, "how the log and commands call it"),
	FIELD("type", FIELD_GUID, type, "interface type"),
	FIELD("instance", FIELD_GUID, instance, "interface instance"),
	FIELD("behaviour", FIELD_BEHAVIOUR, behaviour, "see above (echo)"),
	FIELD("mmio", FIELD_U16, mmio, "megabytes of MMIO"),
	FIELD("flags", FIELD_U16, flags, "the offer's flags (1: interfaces are enumerated)"),
	FIELD("pipe", FIELD_PIPE, pipe_mode, "byte or message: pipe mode"),
	FIELD("user", FIELD_USER, user, "user-defined bytes, in hexadecimal"),
	FIELD("subs", FIELD_U32, subs, "sub-channels, offered when it is opened"),
	FIELD("dedicated", FIELD_BOOL, dedicated, "an interrupt of its own (yes)"),
	FIELD("monitor", FIELD_U32, monitor, "1 to 128: guests set a bit instead of signalling"),
	FIELD("delay", FIELD_U64, delay, "offered so many ms late"),
	FIELD("hidden", FIELD_BOOL, hidden, "only offered on command"),
	FIELD("open-status", FIELD_U32, open_status, "refuse to open with this status"),
	FIELD("open-delay", FIELD_U64, open_delay, "opened at once, but answered N ms later"),
	FIELD("gpadl-refuse", FIELD_REFUSE, gpadl_refuse, "rings, buffers or all"),
	FIELD("gpadl-status", FIELD_U32, gpadl_status, "with this status (0xc000009a)"),
	FIELD("rescind-packets", FIELD_U64, rescind_packets, "rescinded after N packets"),
	FIELD("rescind-ms", FIELD_U64, rescind_ms, "rescinded N ms after it was opened"),
	FIELD("rescind-at", FIELD_POINT, rescind_at, "gpadl, gpadl-body or open: while it opens"),
	FIELD("rescinds", FIELD_U64, rescinds, "so often; 0: always (0)"),
	FIELD("rescind-subs", FIELD_BOOL, rescind_subs, "only the sub-channel it happens on"),
	FIELD("silent", FIELD_SILENT, silent,
	      "open, rings, gpadl, teardown, close, release: never answered"),
	FIELD("silences", FIELD_U64, silences, "so often; 0: always (0)"),
	FIELD("reoffer", FIELD_REOFFER, reoffer_ms, "offered again N ms after its release"),
	FIELD("reoffers", FIELD_U64, reoffers, "so often (1); 0: always"),
	FIELD("count", FIELD_U64, set.count, "source: packets (100); 0: no end"),
	FIELD("size", FIELD_U64, set.size, "source: bytes of payload (64)"),
	FIELD("rate", FIELD_U64, set.rate, "source: packets a second; 0: all at once"),
	FIELD("window", FIELD_U64, set.window, "source: most packets not yet completed (64)"),
	FIELD("completion", FIELD_BOOL, set.completion, "source: ask for completions"),
	FIELD("transfer-pages", FIELD_BOOL, set.transfer_pages, "source: by the guest's buffer"),
	FIELD("interval", FIELD_U64, set.interval, "slow: ms for a packet (100)"),
	FIELD("write", FIELD_BOOL, set.write, "external: write a pattern back (yes)"),
	FIELD("read", FIELD_BOOL, set.read, "silent: read the ring (yes)"),
	FIELD("disk", FIELD_DISK, disks, "storage: MB of memory, a file, or MB:FILE; up to eight"),
	FIELD("detach", FIELD_U64, set.detach, "storage: unit 1 goes after N of its I/Os"),
	FIELD("attach", FIELD_ATTACH, attach, "storage: the disk that is unit 1 then, as disk="),
	FIELD("attach-ms", FIELD_U64, set.attach_ms, "storage: so much later (1000)"),
	FIELD("exchange", FIELD_ATTACH, exchange, "storage: unit 0 once the offer is back"),
	FIELD("names", FIELD_NAMES, names, "storage: none, empty, busy, silent: unit 0, once back"),
	FIELD("io-delay", FIELD_U64, set.io_delay, "storage: us until the guest is told"),
	FIELD("io-reorder", FIELD_U64, set.io_reorder, "storage: at random up to N us more"),
	FIELD("io-fail", FIELD_U64, set.io_fail, "storage: every Nth read or write fails"),
	FIELD("io-short", FIELD_U64, set.io_short, "storage: every Nth does half of it"),
	FIELD("io-lose", FIELD_U64, set.io_lose, "storage: of every Nth the guest never hears"),
	FIELD("io-stall", FIELD_U64, set.io_stall, "storage: ms for which it reads nothing, once"),
	FIELD("io-stall-after", FIELD_U64, set.io_stall_after,
	      "storage: after N reads and writes of a channel"),
	FIELD("io-version", FIELD_VERSION, set.io_version, "storage: highest version (6.2)"),
	FIELD("balloon", FIELD_U64, set.balloon, "dynmem: MB that it asks for; 0: none (0)"),
	FIELD("balloon-ms", FIELD_U64, set.balloon_ms, "dynmem: for how long, and how often"),
	FIELD("ic-interval", FIELD_U64, set.ic_interval, "heartbeat, timesync: ms between two"),
	FIELD("ic-lies", FIELD_U64, set.ic_lies, "services: a lie after every Nth request"),
	FIELD("ic-version", FIELD_VERSION, set.ic_version, "services: highest version"),
	FIELD("seed", FIELD_U64, set.seed, "patterns and random bytes"),
	FIELD("hostile", FIELD_TRICK, tricks,
	      "TRICK[:after=N][:every=N][:ms=N][:times=N][:burst=N][:size=N]"),
#undef FIELD
};

static const char *scenario_where;

static __noreturn void bad(const char *what, const char *word)
{
	die("%s: %s: %s", scenario_where, what, word);
}

static u64 parse_number(const char *word)
{
	char *end;
	u64 value;

	errno = 0;
	value = strtoull(word, &end, 0);
	if (end == word || *end || errno || *word == '-')
		bad("no number", word);
	return value;
}

static bool parse_bool(const char *word)
{
	if (!strcmp(word, "yes"))
		return true;
	if (strcmp(word, "no"))
		bad("neither yes nor no", word);
	return false;
}

/* Pairs of hexadecimal digits; returns how many. */
static u32 parse_hex(const char *word, u8 *bytes, u32 max)
{
	u32 n = 0, value;
	int used;

	for (; *word; word += used) {
		used = 0;
		if (n == max || sscanf(word, "%2x%n", &value, &used) != 1 || used != 2)
			bad("no or too many bytes", word);
		bytes[n++] = value;
	}
	return n;
}

static struct guid parse_guid(const char *word)
{
	/* The first three parts are little endian. */
	static const u8 order[] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	char digits[33];
	struct guid guid;
	u8 bytes[16];
	u32 n = 0, i;

	for (i = 0; word[i] && n < 32; i++)
		if (word[i] != '-' && word[i] != '{' && word[i] != '}')
			digits[n++] = word[i];
	digits[n] = 0;
	if (n != 32 || parse_hex(digits, bytes, 16) != 16)
		bad("no GUID", word);
	for (i = 0; i < 16; i++)
		guid.b[order[i]] = bytes[i];
	return guid;
}

static void parse_trick(struct offer *offer, char *words)
{
	struct trick *trick = &offer->tricks[offer->trick_count];
	char *word, *state, *value;

	if (offer->trick_count++ == OFFER_MAX_TRICKS)
		bad("too many tricks", words);
	word = strtok_r(words, ":", &state);
	trick->kind = word ? trick_by_name(word) : NULL;
	if (!trick->kind)
		bad("no such trick", word ? word : "");
	while ((word = strtok_r(NULL, ":", &state))) {
		value = strchr(word, '=');
		if (!value)
			bad("no value", word);
		*value++ = 0;
		if (!strcmp(word, "after"))
			trick->after = parse_number(value);
		else if (!strcmp(word, "every"))
			trick->every = parse_number(value);
		else if (!strcmp(word, "ms"))
			trick->ms = parse_number(value);
		else if (!strcmp(word, "times"))
			trick->times = parse_number(value);
		else if (!strcmp(word, "burst"))
			trick->burst = parse_number(value);
		else if (!strcmp(word, "size"))
			trick->size = parse_number(value);
		else
			bad("no such word", word);
	}
	if (!trick->every && !trick->ms)
		trick->every = 1;
}

/* The number of a word of a list, in which 0 stands for none. */
static u32 parse_word(const char *word, const char *const *words, u32 count, const char *wrong)
{
	u32 i;

	for (i = 1; i < count; i++)
		if (!strcmp(words[i], word))
			return i;
	bad(wrong, word);
}

static enum offer_point parse_point(const char *word)
{
	static const char *const points[] = {
		[POINT_GPADL] = "gpadl", [POINT_GPADL_BODY] = "gpadl-body",
		[POINT_OPEN] = "open",
	};

	return parse_word(word, points, ARRAY_SIZE(points),
			  "neither gpadl, gpadl-body nor open");
}

static enum offer_names parse_names(const char *word)
{
	static const char *const names[] = {
		[NAMES_NONE] = "none", [NAMES_EMPTY] = "empty", [NAMES_BUSY] = "busy",
		[NAMES_SILENT] = "silent",
	};

	return parse_word(word, names, ARRAY_SIZE(names),
			  "neither none, empty, busy nor silent");
}

static void parse_silence(struct offer *offer, const char *word)
{
	enum silence what = silence_by_name(word);

	if (what == SILENCES)
		bad("neither open, rings, gpadl, teardown, close nor release", word);
	offer->silent |= 1u << what;
}

static void parse_disk_as(struct disk *disk, const char *word, char serial)
{
	const char *wrong = disk_make(disk, word);

	if (wrong)
		bad(word, wrong);
	disk->serial = serial;
}

static void parse_disk(struct offer *offer, const char *word)
{
	if (offer->disk_count == OFFER_MAX_DISKS)
		bad("too many disks", word);
	parse_disk_as(&offer->disks[offer->disk_count], word, '0' + offer->disk_count);
	offer->disk_count++;
}

static void parse_version_of(const char *word, u32 *major, u32 *minor)
{
	if (sscanf(word, "%u.%u", major, minor) != 2 || *major > 0xff || *minor > 0xff)
		bad("no version", word);
}

static u16 parse_storage_version(const char *word)
{
	u32 major, minor;

	parse_version_of(word, &major, &minor);
	return STORAGE_VERSION(major, minor);
}

static void parse_field(struct offer *offer, const struct field *field, char *value)
{
	void *at = (u8 *)offer + field->at;

	switch (field->kind) {
	case FIELD_BOOL:
		*(bool *)at = parse_bool(value);
		break;
	case FIELD_U16:
		*(u16 *)at = parse_number(value);
		break;
	case FIELD_U32:
		*(u32 *)at = parse_number(value);
		break;
	case FIELD_U64:
		*(u64 *)at = parse_number(value);
		break;
	case FIELD_GUID:
		*(struct guid *)at = parse_guid(value);
		break;
	case FIELD_NAME:
		if (strlen(value) >= sizeof(offer->name))
			bad("too long", value);
		memcpy(offer->name, value, strlen(value) + 1);
		break;
	case FIELD_BEHAVIOUR:
		offer->behaviour = behaviour_by_name(value);
		if (!offer->behaviour)
			bad("no such behaviour", value);
		break;
	case FIELD_TRICK:
		parse_trick(offer, value);
		break;
	case FIELD_PIPE:
		offer->pipe = true;
		if (strcmp(value, "byte") && strcmp(value, "message"))
			bad("neither byte nor message", value);
		offer->pipe_mode = *value == 'b' ? PIPE_MODE_BYTE : PIPE_MODE_MESSAGE;
		break;
	case FIELD_REFUSE:
		offer->gpadl_refuse = !strcmp(value, "rings") ? REFUSE_RINGS :
				      !strcmp(value, "buffers") ? REFUSE_BUFFERS : REFUSE_ALL;
		if (offer->gpadl_refuse == REFUSE_ALL && strcmp(value, "all"))
			bad("neither rings, buffers nor all", value);
		break;
	case FIELD_USER:
		parse_hex(value, offer->user, sizeof(offer->user));
		break;
	case FIELD_POINT:
		offer->rescind_at = parse_point(value);
		break;
	case FIELD_SILENT:
		parse_silence(offer, value);
		break;
	case FIELD_DISK:
		parse_disk(offer, value);
		break;
	case FIELD_ATTACH:
		parse_disk_as(at, value, 'a');
		break;
	case FIELD_VERSION:
		*(u16 *)at = parse_storage_version(value);
		break;
	case FIELD_NAMES:
		offer->names = parse_names(value);
		break;
	case FIELD_REOFFER:
		offer->reoffer = true;
		offer->reoffer_ms = parse_number(value);
		break;
	}
}

static void parse_offer(char **state)
{
	struct offer *offer = xalloc(sizeof(*offer));
	char *word, *value;
	u32 i;

	offer->behaviour = &behaviour_echo;
	offer->flags = OFFER_ENUMERATE_INTERFACE;
	offer->gpadl_status = 0xc000009a;
	offer->reoffers = 1;
	offer->dedicated = true;
	offer->set.count = 100;
	offer->set.size = 64;
	offer->set.window = 64;
	offer->set.interval = 100;
	offer->set.balloon_ms = 10000;
	offer->set.attach_ms = 1000;
	offer->set.io_version = STORAGE_VERSION(6, 2);
	offer->set.write = true;
	offer->set.read = true;

	while ((word = strtok_r(NULL, BLANKS, state))) {
		value = strchr(word, '=');
		if (!value)
			bad("no value", word);
		*value++ = 0;
		for (i = 0; i < ARRAY_SIZE(fields) && strcmp(fields[i].key, word); i++)
			;
		if (i == ARRAY_SIZE(fields))
			bad("an offer has no such word", word);
		parse_field(offer, &fields[i], value);
	}
	if (offer->behaviour->pipe && !offer->pipe) {
		offer->pipe = true;
		offer->pipe_mode = PIPE_MODE_MESSAGE;
	}
	/* Whatever its flags are, and wherever they stand. */
	if (offer->pipe)
		offer->flags |= OFFER_NAMED_PIPE;
	if (offer->subs > OFFER_MAX_SUBS || offer->set.size > 256u << 10 ||
	    !offer->set.window || !offer->set.interval || offer->monitor > 128 ||
	    (offer->set.detach && offer->disk_count < 2))
		bad("out of range in offer", offer->name);
	offer_add(offer);
}

static void parse_log(char **state)
{
	char *word = strtok_r(NULL, BLANKS, state);

	if (!word || strcmp(word, "packets"))
		bad("no such thing to log", word ? word : "");
	bus.log_packets = true;
}

static void parse_version(char **state)
{
	char *word = strtok_r(NULL, BLANKS, state);
	u32 major, minor;

	parse_version_of(word ? word : "", &major, &minor);
	if (major < 2 || major > 6)
		bad("no version", word);
	bus.max_version = VMBUS_VERSION(major, minor);
}

/* A command for later. */
struct command {
	struct command *next;
	u64 ms;
	struct timer timer;
	const struct verb *verb;
	struct offer *offer;
};

static const struct verb {
	const char *name;
	void (*run)(struct offer *offer);
} verbs[] = {
	{ "rescind", offer_rescind }, { "offer", offer_now }, { "answer", silence_end },
	{ "shutdown", ic_power_off }, { "restart", ic_restart }, { "hibernate", ic_hibernate },
};

static struct command *commands;

static void command_run(void *arg)
{
	struct command *command = arg;

	log_begin("command");
	log_str("what", command->verb->name);
	log_str("offer", command->offer->name);
	log_end();
	command->verb->run(command->offer);
}

/* "VERB NAME"; what is wrong with it, or NULL. */
static const char *parse_command(struct command *command, char *verb, char **state)
{
	char *name = strtok_r(NULL, BLANKS, state);
	u32 i;

	for (i = 0; verb && i < ARRAY_SIZE(verbs); i++)
		if (!strcmp(verbs[i].name, verb))
			command->verb = &verbs[i];
	if (!command->verb)
		return "no such command";
	command->offer = name ? offer_by_name(name) : NULL;
	return command->offer ? NULL : "no such offer";
}

static void parse_at(char **state)
{
	struct command *command = xalloc(sizeof(*command));
	char *ms = strtok_r(NULL, BLANKS, state);
	const char *wrong;

	command->ms = parse_number(ms ? ms : "");
	wrong = parse_command(command, strtok_r(NULL, BLANKS, state), state);
	if (wrong)
		bad("at", wrong);
	command->timer.fire = command_run;
	command->timer.arg = command;
	command->next = commands;
	commands = command;
}

void scenario_begin(void)
{
	struct command *command;

	for (command = commands; command; command = command->next)
		timer_set(&command->timer, command->ms * 1000);
}

void scenario_line(const char *where, const char *line)
{
	char *copy = strdup(line), *state, *word;

	if (!copy)
		die("no memory");
	scenario_where = where;
	copy[strcspn(copy, "#")] = 0;
	word = strtok_r(copy, BLANKS, &state);
	if (!word)
		;
	else if (!strcmp(word, "offer"))
		parse_offer(&state);
	else if (!strcmp(word, "at"))
		parse_at(&state);
	else if (!strcmp(word, "log"))
		parse_log(&state);
	else if (!strcmp(word, "version"))
		parse_version(&state);
	else
		bad("no such line", word);
	free(copy);
}

void scenario_file(const char *file)
{
	char line[1024], where[300];
	FILE *f = fopen(file, "re");
	u32 number = 0;

	if (!f)
		die("%s: %s", file, strerror(errno));
	while (fgets(line, sizeof(line), f)) {
		snprintf(where, sizeof(where), "%s:%u", file, ++number);
		scenario_line(where, line);
	}
	fclose(f);
}

static void control_line(char *line)
{
	struct command command = { 0 };
	char *state, *verb = strtok_r(line, BLANKS, &state);
	const char *wrong;

	if (!verb)
		return;
	wrong = parse_command(&command, verb, &state);
	if (!wrong) {
		command_run(&command);
		return;
	}
	log_begin("command-refused");
	log_str("why", wrong);
	log_end();
}

static void control_ready(void *arg)
{
	struct loop_fd *watch = arg;
	char text[1024], *line, *state;
	ssize_t n = read(watch->fd, text, sizeof(text) - 1);

	if (n <= 0)
		return;
	text[n] = 0;
	for (line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
		control_line(line);
}

void scenario_control(const char *fifo)
{
	static struct loop_fd watch = { .ready = control_ready, .arg = &watch };

	if (mkfifo(fifo, 0600) && errno != EEXIST)
		die("%s: %s", fifo, strerror(errno));
	/* Also for writing: else it would be at its end after the first writer. */
	watch.fd = open(fifo, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (watch.fd < 0)
		die("%s: %s", fifo, strerror(errno));
	loop_watch(&watch);
}

void scenario_help(void)
{
	u32 i;

	puts("behaviours:");
	for (i = 0; behaviours[i]; i++)
		printf("  %-18s%s\n", behaviours[i]->name, behaviours[i]->help);
	puts("tricks (hostile=TRICK):");
	tricks_help();
	puts("words of an offer:");
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		printf("  %-18s%s\n", fields[i].key, fields[i].help);
}
