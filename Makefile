# SPDX-License-Identifier: GPL-2.0
#
# Builds the modules for the running kernel, or for another with KDIR=, and runs
# what scripts/ can do. `make help` lists the verbs.

KDIR ?= /lib/modules/$(shell uname -r)/build
V ?= 0
PREFIX ?= /usr

# A kernel that clang built has its modules built by clang, with what belongs to it.
# auto.conf is what the kernel was built with, .config what it may be built with next.
config := $(firstword $(wildcard $(KDIR)/include/config/auto.conf $(KDIR)/.config))
ifneq ($(shell grep -s '^CONFIG_CC_IS_CLANG=y' $(config) /dev/null),)
LLVM ?= 1
export LLVM
endif

.PHONY: all arm64 modules modules_install clean install install-modules install-dev \
	install-tools install-source uninstall dist deb package demo demo-disk demo-loopback check \
	kunit lint words stress docs bench bench-check bench-disk bench-scale bench-plot coverage kcsan rt \
	vmbhost guest bounce disk-safety hibernate hostile lab-clean help matrix kmdf storage heartbeat

all: modules

modules modules_install clean:
	$(if $(wildcard $(KDIR)/Makefile),,$(error No kernel to build for in $(KDIR): \
		install its headers (in Debian linux-headers-...), or set KDIR))
	$(MAKE) -C $(KDIR) M=$(CURDIR) V=$(V) $@

# What packages are made of, and what DKMS builds; see docs/packaging.md. DESTDIR is a
# tree that is not the running one, whose modules depmod lists later.
version = $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"$$/\1/p' dkms.conf)
release = $(shell $(MAKE) -s --no-print-directory -C $(KDIR) kernelrelease)
headers := $(DESTDIR)$(PREFIX)/include/vmbkmcl
shared := $(DESTDIR)$(PREFIX)/share/vmbkmcl
symbols = $(DESTDIR)$(PREFIX)/lib/vmbkmcl/$(release)
source = $(DESTDIR)$(PREFIX)/src/vmbkmcl-$(version)

install: install-modules install-dev install-tools

install-modules:
	$(MAKE) modules
	$(MAKE) -C $(KDIR) M=$(CURDIR) V=$(V) INSTALL_MOD_PATH=$(DESTDIR) \
		INSTALL_MOD_DIR=updates/vmbkmcl modules_install
	install -D -m 644 -t $(symbols) Module.symvers
	$(if $(DESTDIR),,depmod $(release))

install-dev:
	install -d $(headers)/nt $(shared)
	install -m 644 include/*.h $(headers)
	install -m 644 include/nt/*.h $(headers)/nt
	install -m 644 vmbkmcl.mk $(shared)

install-tools:
	install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin scripts/kmclstat
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/man/man8 docs/kmclstat.8

install-source:
	install -d $(source)
	cp -R --no-preserve=mode,ownership,timestamps Makefile Kbuild dkms.conf vmbkmcl.mk \
		vmbkmcl_compat.c core include nt pipe transport wdf $(source)

uninstall:
	rm -rf $(DESTDIR)/lib/modules/$(release)/updates/vmbkmcl $(symbols) $(headers) $(shared)
	rm -f $(DESTDIR)$(PREFIX)/bin/kmclstat $(DESTDIR)$(PREFIX)/share/man/man8/kmclstat.8
	-rmdir --ignore-fail-on-non-empty $(dir $(symbols))
	$(if $(DESTDIR),,depmod $(release))

# The same commit makes the same archive, to the last bit.
dist:
	@scripts/dist

deb:
	@scripts/package deb

package:
	@scripts/package

demo:
	@scripts/demo

demo-disk:
	@scripts/demo-disk

demo-loopback:
	@scripts/demo-loopback

check:
	@scripts/check

kunit:
	@scripts/kunit $(if $(HOST),--host $(HOST)) $(FILTER)

lint:
	@scripts/lint

words:
	@scripts/words

docs:
	@scripts/docs

arm64:
	@scripts/arm64 $(if $(PAGES),--pages $(PAGES)) $(FILTER)

stress:
	@scripts/stress $(if $(SEED),--seed $(SEED)) $(if $(ROUNDS),--rounds $(ROUNDS))

bench:
	@scripts/bench $(if $(BASE),--against $(BASE)) $(if $(PROFILE),--profile "$(PROFILE)")

bench-check:
	@scripts/bench --check

bench-disk:
	@scripts/bench-disk

bench-scale:
	@scripts/bench --scale

bench-plot:
	@scripts/bench --plot

coverage:
	@scripts/coverage $(if $(HOST),--host $(HOST)) $(FILTER)

kcsan:
	@scripts/kcsan $(if $(SEED),--seed $(SEED)) $(FILTER)

rt:
	@scripts/rt $(if $(SEED),--seed $(SEED)) $(FILTER)

matrix:
	@scripts/matrix $(KERNEL)

vmbhost:
	@scripts/lab vmbhost

guest:
	@scripts/guest $(if $(JOB),--only $(JOB))

bounce:
	@scripts/bounce

disk-safety:
	@scripts/disk-safety $(if $(KERNEL),--kernel $(KERNEL)) $(if $(IOS),--ios $(IOS)) \
		$(if $(CASE),--only $(CASE))

hibernate:
	@scripts/hibernate

kmdf:
	@scripts/kmdf

storage:
	@scripts/vmbhost-storage $(if $(KERNEL),--kernel $(KERNEL))

heartbeat:
	@scripts/heartbeat

hostile:
	@scripts/hostile $(if $(SEED),--seed $(SEED)) $(if $(FUZZ),--fuzz $(FUZZ))

lab-clean:
	@scripts/lab clean

help:
	@echo 'On a Hyper-V guest:'
	@echo '  make                  build the modules for the running kernel (KDIR=... another)'
	@echo '  make install          install them, kmclstat and what builds clients; uninstall takes it back'
	@echo '  make clean            remove what was built'
	@echo 'Anywhere (root, Debian or Ubuntu; everything needed is set up and cached):'
	@echo '  make demo             a KMCL client on a real VMBus host, in a guest'
	@echo '  make demo-disk        a disk over KMCL, with a file system, in a guest'
	@echo '  make demo-loopback    a KMCL server and client in one kernel, no hypervisor'
	@echo '  make check            all tests, of those that take long a share'
	@echo '  make kunit            the KUnit suites; FILTER=suite.case (a glob), HOST=vmbus'
	@echo '  make lint             W=1, sparse, checkpatch, shellcheck, mingw-w64'
	@echo '  make words            what Windows drivers say that include/nt knows'
	@echo '  make docs             docs/api.md and the pictures anew'
	@echo '  make stress           random operations on loopback channels; SEED=... ROUNDS=...'
	@echo '  make bench            what a packet costs, in instructions; BASE=COMMIT: the change,'
	@echo '                        PROFILE=OPERATION: in which functions'
	@echo '  make bench-check      whether an operation has become dearer than in kunit/bench.tsv'
	@echo '  make bench-disk       fio on samples/disk beside hv_storvsc, on the same vmbhost'
	@echo '  make bench-scale      two processors at once beside hv_vmbus, and 256 channels'
	@echo '  make bench-plot       docs/performance.svg: cost against payload'
	@echo '  make coverage         which lines the suites run; HOST=both adds those on VMBus'
	@echo '  make kcsan            the suites under the data race detector'
	@echo '  make rt               the suites on the newest kernel with PREEMPT_RT'
	@echo '  make matrix           build, guest and suites on Debian'\''s kernels; KERNEL='\''bookworm cfi'\'''
	@echo '  make arm64            the suites on an emulated arm64 machine; PAGES=4k or 64k: one'
	@echo '  make guest            the client on a stock kernel against tools/vmbhost; JOB=one'
	@echo '  make bounce           that client, where the host sees copies of memory only (swiotlb)'
	@echo '  make disk-safety      a disk over KMCL keeps what fio writes to it; IOS=N CASE=one KERNEL=disk'
	@echo '  make hibernate        that client, while the guest hibernates and comes back'
	@echo '  make kmdf             two devices of a KMDF driver come, sleep and go'
	@echo '  make storage          hv_storvsc of a stock kernel on tools/vmbhost'\''s disks; KERNEL=stock-bookworm'
	@echo '  make heartbeat        heartbeat, time and shutdown, taken over from Linux'\'' own driver'
	@echo '  make hostile          the client against a vmbhost that does not behave; SEED=, FUZZ=N'
	@echo '  make dist             the archive of a release, in out/dist'
	@echo '  make deb              Debian packages, in out/deb'
	@echo '  make package          what is packaged is installed, used, upgraded and removed'
	@echo '  make vmbhost          build tools/vmbhost, a VMBus host to test drivers with'
	@echo '  make lab-clean        remove the cache of the above'
