// SPDX-License-Identifier: GPL-2.0
/*
 * ACPI tables: processors, power-off, and the VMBus device.
 */
#include <string.h>

#include "aml.h"
#include "ports.h"
#include "vm.h"

struct acpi_header {
	char signature[4];
	u32 length;
	u8 revision;
	u8 checksum;
	char oem_id[6];
	char oem_table_id[8];
	u32 oem_revision;
	char creator_id[4];
	u32 creator_revision;
} __packed;

struct acpi_address {
	u8 space;
	u8 bits;
	u8 offset;
	u8 access;
	u64 address;
} __packed;

struct acpi_rsdp {
	char signature[8];
	u8 checksum;
	char oem_id[6];
	u8 revision;
	u32 rsdt;
	u32 length;
	u64 xsdt;
	u8 checksum_all;
	u8 reserved[3];
} __packed;

struct acpi_fadt {
	struct acpi_header header;
	u32 facs;
	u32 dsdt;
	u8 reserved;
	u8 profile;
	u16 sci;
	u32 smi_command;
	u8 smi_values[4];
	u32 pm1a_event;
	u32 pm1b_event;
	u32 pm1a_control;
	u32 pm1b_control;
	u32 pm2_control;
	u32 pm_timer;
	u32 gpe[2];
	u8 pm1_event_length;
	u8 pm1_control_length;
	u8 pm2_control_length;
	u8 pm_timer_length;
	u8 gpe_lengths[3];
	u8 cst_control;
	u16 c2_latency;
	u16 c3_latency;
	u8 cache_and_duty[6];
	u8 rtc[3];
	u16 boot_flags;
	u8 reserved2;
	u32 flags;
	struct acpi_address reset;
	u8 reset_value;
	u8 reserved3[3];
	u64 x_facs;
	u64 x_dsdt;
	struct acpi_address x_blocks[8];
	struct acpi_address sleep[2];
} __packed;

_Static_assert(sizeof(struct acpi_fadt) == 268, "revision 5 of the FADT");

#define FADT_WBINVD		BIT(0)
#define FADT_C1			BIT(2)
#define FADT_NO_POWER_BUTTON	BIT(4)
#define FADT_NO_SLEEP_BUTTON	BIT(5)
#define FADT_TIMER_32_BITS	BIT(8)
#define FADT_RESET		BIT(10)

#define FADT_LEGACY_DEVICES	BIT(0)
#define FADT_NO_VGA		BIT(2)

#define IO_APIC_ADDRESS		0xfec00000u
#define LOCAL_APIC_ADDRESS	0xfee00000u

static u8 acpi_sum(const void *bytes, size_t len)
{
	const u8 *p = bytes;
	u8 sum = 0;

	while (len--)
		sum += *p++;
	return -sum;
}

/* Starts a table; what belongs in it is written behind the header. */
static struct acpi_header *acpi_begin(struct aml *area, const char *signature, u8 revision)
{
	struct acpi_header header = {
		.revision = revision, .oem_id = "VMBHST", .oem_table_id = "VMBHOST ",
		.oem_revision = 1, .creator_id = "VMBH", .creator_revision = 1,
	};
	struct acpi_header *table;

	while ((uintptr_t)area->at % 16)
		aml_bytes(area, "", 1);
	table = (void *)area->at;
	memcpy(header.signature, signature, 4);
	aml_bytes(area, &header, sizeof(header));
	return table;
}

static void acpi_end(struct aml *area, struct acpi_header *table)
{
	table->length = area->at - (u8 *)table;
	table->checksum = 0;
	table->checksum = acpi_sum(table, table->length);
}

/* Resources of VMOD: what its child VMBS may give away as MMIO. */
static void acpi_mmio(struct aml *area)
{
	struct {
		u8 type;
		u16 length;
		u8 kind, flags, type_flags;
		u32 granularity, min, max, translation, size;
	} __packed low = {
		0x87, 23, 0, 0x0c, 1, 0, VM_MMIO_LOW, VM_MMIO_LOW_END - 1, 0,
		VM_MMIO_LOW_END - VM_MMIO_LOW,
	};
	struct {
		u8 type;
		u16 length;
		u8 kind, flags, type_flags;
		u64 granularity, min, max, translation, size;
	} __packed high = {
		0x8a, 43, 0, 0x0c, 1, 0, VM_MMIO_HIGH, VM_MMIO_HIGH_END - 1, 0,
		VM_MMIO_HIGH_END - VM_MMIO_HIGH,
	};
	u8 resources[sizeof(low) + sizeof(high) + 2];

	memcpy(resources, &low, sizeof(low));
	memcpy(resources + sizeof(low), &high, sizeof(high));
	memcpy(resources + sizeof(low) + sizeof(high), "\x79", 2);
	aml_name_buffer(area, "_CRS", resources, sizeof(resources));
}

/* Whose driver looks for the table NFIT. */
static void acpi_pmem_device(struct aml *area)
{
	u8 *pmem = aml_begin_device(area, "PMEM");

	aml_name_string(area, "_HID", "ACPI0012");
	aml_name_byte(area, "_UID", 0);
	aml_end(area, pmem);
}

static struct acpi_header *acpi_dsdt(struct aml *area, bool has_pmem)
{
	static const u8 s5[] = { PM_SLEEP_TYPE_OFF, PM_SLEEP_TYPE_OFF, 0, 0 };
	/* Interrupt 5, as on Hyper-V; nobody uses it. */
	static const u8 vmbus_irq[] = { 0x22, 1 << 5, 0, 0x79, 0 };
	struct acpi_header *table = acpi_begin(area, "DSDT", 2);
	u8 *system, *vmod, *vmbus;

	system = aml_begin_scope(area, "\\_SB_");
	vmod = aml_begin_device(area, "VMOD");
	aml_name_string(area, "_HID", "VMOD");
	aml_name_byte(area, "_UID", 0);
	acpi_mmio(area);
	vmbus = aml_begin_device(area, "VMBS");
	aml_name_string(area, "_HID", "VMBus");
	aml_name_byte(area, "_UID", 0);
	aml_name_string(area, "_DDN", "VMBUS");
	aml_name_byte(area, "_STA", 0xf);
	aml_name_buffer(area, "_CRS", vmbus_irq, sizeof(vmbus_irq));
	aml_end(area, vmbus);
	aml_end(area, vmod);
	if (has_pmem)
		acpi_pmem_device(area);
	aml_end(area, system);
	aml_name_package(area, "_S5_", s5, sizeof(s5));

	acpi_end(area, table);
	return table;
}

static struct acpi_header *acpi_madt(struct aml *area, unsigned int cpus)
{
	static const u8 overrides[] = {
		2, 10, 0, 0, 2, 0, 0, 0, 0, 0, /* the PIT is on pin 2 */
		2, 10, 0, VM_IRQ_SCI, VM_IRQ_SCI, 0, 0, 0, 0x0d, 0, /* by level, high */
	};
	static const u8 nmi[] = { 4, 6, 0xff, 0, 0, 1 };
	struct acpi_header *table = acpi_begin(area, "APIC", 3);
	const u32 head[] = { LOCAL_APIC_ADDRESS, 1 /* PC/AT compatible */ };
	const u32 io_apic[] = { 1 | 12 << 8, IO_APIC_ADDRESS, 0 };
	unsigned int i;

	aml_bytes(area, head, sizeof(head));
	for (i = 0; i < cpus; i++) {
		const u8 local_apic[] = { 0, 8, i, i, 1, 0, 0, 0 };

		aml_bytes(area, local_apic, sizeof(local_apic));
	}
	aml_bytes(area, io_apic, sizeof(io_apic));
	aml_bytes(area, overrides, sizeof(overrides));
	aml_bytes(area, nmi, sizeof(nmi));
	acpi_end(area, table);
	return table;
}

static struct acpi_header *acpi_fadt(struct aml *area, u32 facs, u32 dsdt)
{
	struct acpi_fadt *fadt = (void *)acpi_begin(area, "FACP", 5);
	struct acpi_fadt body = {
		.facs = facs, .dsdt = dsdt, .x_dsdt = dsdt, .sci = VM_IRQ_SCI,
		.pm1a_event = PM_EVENT_PORT, .pm1_event_length = 4,
		.pm1a_control = PM_CONTROL_PORT, .pm1_control_length = 2,
		.pm_timer = PM_TIMER_PORT, .pm_timer_length = 4,
		.c2_latency = 0xfff, .c3_latency = 0xfff,
		.boot_flags = FADT_LEGACY_DEVICES | FADT_NO_VGA,
		.flags = FADT_WBINVD | FADT_C1 | FADT_NO_POWER_BUTTON |
			 FADT_NO_SLEEP_BUTTON | FADT_TIMER_32_BITS | FADT_RESET,
		.reset = { 1, 8, 0, 1, RESET_PORT }, .reset_value = RESET_VALUE,
	};

	aml_bytes(area, &body.facs, sizeof(body) - sizeof(body.header));
	acpi_end(area, &fadt->header);
	return &fadt->header;
}

/* A range of persistent memory, with no module that one could ask about it. */
static struct acpi_header *acpi_nfit(struct aml *area, u64 size)
{
	const struct {
		u32 reserved;
		u16 type, length, index, flags;
		u32 reserved2, proximity;
		u8 guid[16];
		u64 address, size, attributes;
	} __packed range = {
		.length = sizeof(range) - 4, .index = 1,
		.guid = { 0x79, 0xd3, 0xf0, 0x66, 0xf3, 0xb4, 0x74, 0x40,
			  0xac, 0x43, 0x0d, 0x33, 0x18, 0xb7, 0x8c, 0xdb },
		.address = VM_PMEM, .size = size, .attributes = 0x8008, /* cached */
	};
	struct acpi_header *table = acpi_begin(area, "NFIT", 1);

	aml_bytes(area, &range, sizeof(range));
	acpi_end(area, table);
	return table;
}

u64 acpi_write_tables(struct vm *vm)
{
	struct aml area = { vm->ram + VM_ACPI, vm->ram + VM_ACPI_END };
	struct acpi_rsdp *rsdp = (void *)area.at;
	struct acpi_header *dsdt, *xsdt;
	u64 tables[3];
	u32 count = 2;
	u8 *facs;

	aml_bytes(&area, &(struct acpi_rsdp) { 0 }, sizeof(*rsdp));
	while ((uintptr_t)area.at % 64)
		aml_bytes(&area, "", 1);
	facs = area.at;
	aml_bytes(&area, (u8[64]) { 'F', 'A', 'C', 'S', 64, [32] = 2 }, 64);

	dsdt = acpi_dsdt(&area, vm->pmem_size);
	tables[0] = (u8 *)acpi_fadt(&area, facs - vm->ram, (u8 *)dsdt - vm->ram) - vm->ram;
	tables[1] = (u8 *)acpi_madt(&area, vm->cpus) - vm->ram;
	if (vm->pmem_size)
		tables[count++] = (u8 *)acpi_nfit(&area, vm->pmem_size) - vm->ram;
	xsdt = acpi_begin(&area, "XSDT", 1);
	aml_bytes(&area, tables, count * sizeof(tables[0]));
	acpi_end(&area, xsdt);

	memcpy(rsdp->signature, "RSD PTR ", 8);
	memcpy(rsdp->oem_id, "VMBHST", 6);
	rsdp->revision = 2;
	rsdp->length = sizeof(*rsdp);
	rsdp->xsdt = (u8 *)xsdt - vm->ram;
	rsdp->checksum = acpi_sum(rsdp, 20);
	rsdp->checksum_all = acpi_sum(rsdp, sizeof(*rsdp));
	return VM_ACPI;
}
