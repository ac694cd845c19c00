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
subdir-ccflags-y += -Wno-multichar # pool tags

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
