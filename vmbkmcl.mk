# SPDX-License-Identifier: GPL-2.0 OR MIT
#
# For the Kbuild file of a module that uses KMCL, as its last line, behind obj-m and the
# modules' own lists:
#
#	obj-m := client.o
#	client-y := driver.o linux.o
#	include /usr/share/vmbkmcl/vmbkmcl.mk
#
# The include paths and the flag also hold for the folders below. A folder below that has
# modules of its own includes this file, too.

vmbkmcl-here := $(dir $(lastword $(MAKEFILE_LIST)))

# Beside this file in the sources, elsewhere where it was installed.
vmbkmcl-headers := $(abspath $(firstword $(wildcard \
	$(vmbkmcl-here)include $(vmbkmcl-here)../../include/vmbkmcl)))
subdir-ccflags-y += -I$(vmbkmcl-headers) -I$(vmbkmcl-headers)/nt

# What Microsoft's compiler takes: characters are signed, structures may have members
# without a name, pool tags are 'abcd', and f() has no parameters.
subdir-ccflags-y += -fsigned-char -fms-extensions
subdir-ccflags-$(CONFIG_CC_IS_CLANG) += -Wno-microsoft-anon-tag
subdir-ccflags-y += -Wno-multichar -Wno-strict-prototypes -Wno-old-style-definition
subdir-ccflags-y += -Wno-missing-prototypes -Wno-missing-declarations
subdir-ccflags-y += -Wno-unknown-pragmas -Wno-unused-variable -Wno-declaration-after-statement
subdir-ccflags-y += -Wno-implicit-fallthrough

# A function in a header that is inline, and not static, is in each file that includes it:
# one of them is kept, as by Windows' linker.
ldflags-y += -z muldefs

# Headers that a driver includes, but nothing on Linux has: NAME.tmh, which a preprocessor of
# Microsoft's makes for its tracing, and ours in another case. They are made here of
# what the sources around say that they include.
clean-files += .vmbkmcl
vmbkmcl-hash := \#
vmbkmcl-made := $(shell cd $(src) && \
	find . -name .vmbkmcl -prune -o -iname '*.[ch]' -type f -print | xargs -r \
	sed -nE 's/^[ \t]*$(vmbkmcl-hash)[ \t]*include[ \t]*["<]([^">]*)[">].*/\1/p' | sort -u | \
	while read -r name; do \
		ours=$$(echo "$$name" | tr A-Z a-z); \
		[ "$${ours%.tmh}" = "$$ours" ] || ours=nt_trace.h; \
		if [ "$$ours" != "$$name" ] && [ "$${name%..*}" = "$$name" ] && \
		   ls $(vmbkmcl-headers) $(vmbkmcl-headers)/nt | grep -qxF "$$ours"; then \
			mkdir -p $(abspath $(obj))/.vmbkmcl/$$(dirname "$$name"); \
			echo "$(vmbkmcl-hash)include <$$ours>" >$(abspath $(obj))/.vmbkmcl/$$name; \
			echo "$$name"; \
		fi; \
	done)
subdir-ccflags-y += $(if $(vmbkmcl-made),-I$(abspath $(obj))/.vmbkmcl)

# Each module imports the namespace of KMCL's functions, in its first file.
$(foreach vmbkmcl-module,$(patsubst %.o,%,$(filter %.o,$(obj-m))), \
	$(eval CFLAGS_$(firstword $($(vmbkmcl-module)-y) $($(vmbkmcl-module)-objs) \
		$(vmbkmcl-module).o) += -include $(vmbkmcl-headers)/vmbkmcl_import.h))

# The symbols of the modules that are installed for this very kernel: what was built
# beside this file, what DKMS has built, what `make install` has installed.
VMBKMCL_SYMVERS ?= $(firstword $(wildcard $(vmbkmcl-here)Module.symvers \
	/var/lib/dkms/vmbkmcl/kernel-$(KERNELRELEASE)-*/module/Module.symvers \
	$(vmbkmcl-here)../../lib/vmbkmcl/$(KERNELRELEASE)/Module.symvers))
KBUILD_EXTRA_SYMBOLS += $(VMBKMCL_SYMVERS)

# Kbuild reads the file more than once, but builds with that; vmbkmcl's own modules need
# no others' symbols.
ifeq ($(need-modorder)$(VMBKMCL_SYMVERS),1)
ifeq ($(wildcard $(KBUILD_EXTMOD)/vmbkmcl.mk),)
$(error vmbkmcl is not installed for the kernel $(KERNELRELEASE): no Module.symvers (see dkms status vmbkmcl, or set VMBKMCL_SYMVERS))
endif
endif
