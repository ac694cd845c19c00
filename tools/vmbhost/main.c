// SPDX-License-Identifier: GPL-2.0
/*
 * vmbhost: a machine for a Linux guest on a VMBus that does what it is told,
 * and misbehaves if told so.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "bus.h"
#include "channel.h"
#include "log.h"
#include "scenario.h"
#include "synic.h"
#include "vm.h"

static struct vm vm;

/* How the guest ended, from its threads to the bus', which writes the accounts. */
static struct {
	enum vmbhost_status status;
	const char *why;
	struct loop_fd told;
} end;

void die(const char *fmt, ...)
{
	va_list args;

	fputs("vmbhost: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	_exit(STATUS_CANNOT_START);
}

void *xalloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		die("no memory");
	return p;
}

u64 now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ull + t.tv_nsec / 1000;
}

/* The first who says so ends it. */
void vm_end(enum vmbhost_status status, const char *why)
{
	static bool ended;
	const u64 one = 1;

	if (!__atomic_exchange_n(&ended, true, __ATOMIC_SEQ_CST)) {
		end.status = status;
		end.why = why;
		if (write(end.told.fd, &one, sizeof(one)) < 0)
			die("%s", why);
	}
	for (;;)
		pause();
}

static void end_now(void *arg)
{
	u32 relid;

	(void)arg;
	for (relid = 0; relid < BUS_MAX_RELIDS; relid++)
		if (bus.channels[relid] && bus.channels[relid]->state == CHANNEL_OPEN)
			channel_close(bus.channels[relid], end.why);
	log_begin("end");
	log_str("why", end.why);
	log_u64("status", end.status);
	log_end();
	serial_flush();
	_exit(end.status);
}

/* Another way to end it: no write is unsafe in a signal handler. */
static void end_signal(int signal)
{
	const u64 one = 1;

	(void)signal;
	end.status = STATUS_POWERED_OFF;
	end.why = "told to end";
	if (write(end.told.fd, &one, sizeof(one)) < 0)
		_exit(STATUS_LOST);
}

static void help(void)
{
	puts("usage: vmbhost --kernel BZIMAGE [OPTIONS]\n"
	     "  --kernel FILE       a 64-bit Linux kernel\n"
	     "  --initrd FILE       its initial file system\n"
	     "  --append WORDS      its command line (console=ttyS0)\n"
	     "  --cpus N            1 to 4 (1)\n"
	     "  --mem MIB           64 to 3072 (512)\n"
	     "  --pmem FILE         memory that outlives the guest; a multiple of 2 MiB\n"
	     "  --serial FILE       the guest's console, behind what is there (standard output)\n"
	     "  --log FILE          what the host saw, a JSON object a line\n"
	     "  --log-packets       every packet, too\n"
	     "  --version X.Y       highest VMBus version: 4.0, 5.0 to 5.3, 6.0 (5.3)\n"
	     "  --offer 'WORD=VALUE ...'\n"
	     "                      a channel; can be repeated\n"
	     "  --at 'MS VERB NAME'\n"
	     "                      ms after the guest asked for offers\n"
	     "  --scenario FILE     lines: version X.Y, log packets, offer ..., at ...\n"
	     "  --control FIFO      made; lines \"rescind NAME\" and the like are obeyed\n"
	     "ends with: 0 powered off, 2 cannot start, 3 reset, 4 triple fault, 5 lost");
	scenario_help();
}

enum { OPT_KERNEL, OPT_INITRD, OPT_APPEND, OPT_CPUS, OPT_MEM, OPT_PMEM, OPT_SERIAL, OPT_LOG,
	OPT_PACKETS, OPT_VERSION, OPT_OFFER, OPT_AT, OPT_SCENARIO, OPT_CONTROL, OPT_HELP };

static const struct option long_options[] = {
	{ "kernel", 1, NULL, OPT_KERNEL }, { "initrd", 1, NULL, OPT_INITRD },
	{ "append", 1, NULL, OPT_APPEND }, { "cpus", 1, NULL, OPT_CPUS },
	{ "mem", 1, NULL, OPT_MEM }, { "pmem", 1, NULL, OPT_PMEM },
	{ "serial", 1, NULL, OPT_SERIAL },
	{ "log", 1, NULL, OPT_LOG }, { "log-packets", 0, NULL, OPT_PACKETS },
	{ "version", 1, NULL, OPT_VERSION }, { "offer", 1, NULL, OPT_OFFER },
	{ "at", 1, NULL, OPT_AT }, { "scenario", 1, NULL, OPT_SCENARIO },
	{ "control", 1, NULL, OPT_CONTROL }, { "help", 0, NULL, OPT_HELP },
	{ NULL },
};

struct options {
	const char *kernel, *initrd, *append, *pmem, *serial, *log, *control;
	unsigned long cpus, mem;
};

static void scenario_words(const char *verb, const char *words)
{
	char *line;

	if (asprintf(&line, "%s %s", verb, words) < 0)
		die("no memory");
	scenario_line("command line", line);
	free(line);
}

static void parse_option(struct options *o, int option)
{
	switch (option) {
	case OPT_KERNEL:
		o->kernel = optarg;
		break;
	case OPT_INITRD:
		o->initrd = optarg;
		break;
	case OPT_APPEND:
		o->append = optarg;
		break;
	case OPT_CPUS:
		o->cpus = strtoul(optarg, NULL, 0);
		break;
	case OPT_MEM:
		o->mem = strtoul(optarg, NULL, 0);
		break;
	case OPT_PMEM:
		o->pmem = optarg;
		break;
	case OPT_SERIAL:
		o->serial = optarg;
		break;
	case OPT_LOG:
		o->log = optarg;
		break;
	case OPT_PACKETS:
		bus.log_packets = true;
		break;
	case OPT_VERSION:
		scenario_words("version", optarg);
		break;
	case OPT_OFFER:
		scenario_words("offer", optarg);
		break;
	case OPT_AT:
		scenario_words("at", optarg);
		break;
	case OPT_SCENARIO:
		scenario_file(optarg);
		break;
	case OPT_CONTROL:
		o->control = optarg;
		break;
	case OPT_HELP:
		help();
		exit(0);
	default:
		exit(STATUS_CANNOT_START);
	}
}

int main(int argc, char **argv)
{
	struct options o = { .append = "console=ttyS0", .cpus = 1, .mem = 512 };
	unsigned int i;
	int option;

	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		parse_option(&o, option);
	if (!o.kernel || optind != argc)
		die("--kernel is missing, or a word too many (see --help)");
	if (!o.cpus || o.cpus > VM_MAX_CPUS || o.mem < 64 || o.mem > VM_MAX_RAM >> 20)
		die("1 to 4 processors, 64 to 3072 MiB");

	signal(SIGPIPE, SIG_IGN);
	log_open(o.log);
	serial_open(o.serial);
	end.told.fd = eventfd(0, EFD_CLOEXEC);
	end.told.ready = end_now;
	loop_watch(&end.told);
	signal(SIGTERM, end_signal);
	signal(SIGINT, end_signal);
	if (o.control)
		scenario_control(o.control);

	vm_create(&vm, (u64)o.mem << 20, o.cpus);
	if (o.pmem)
		pmem_create(&vm, o.pmem);
	boot_load(&vm, o.kernel, o.initrd, o.append);
	boot_set_registers(&vm.vcpu[0]);
	synic_create(&vm);
	bus_start(&vm);
	for (i = 0; i < o.cpus; i++)
		vcpu_start(&vm.vcpu[i]);
	loop_run();
}
