// SPDX-License-Identifier: GPL-2.0
/*
 * A 16550 that only talks: its transmitter is always empty, nothing comes in.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vm.h"

enum { REG_DATA, REG_IER, REG_IIR, REG_LCR, REG_MCR, REG_LSR, REG_MSR, REG_SCRATCH };

#define IER_TRANSMITTER		0x02
#define IIR_NONE		0x01
#define IIR_TRANSMITTER		0x02
#define IIR_FIFO		0xc0
#define FCR_FIFO		0x01
#define LCR_DIVISOR		0x80
#define MCR_LOOP		0x10
#define LSR_TRANSMITTER_EMPTY	0x60
#define MSR_LINE_UP		0xb0

static struct {
	FILE *out;
	u8 ier, fcr, lcr, mcr, scratch;
	u8 divisor[2];
	/* The transmitter has become empty and the guest does not know yet. */
	bool pending;
} serial;

void serial_open(const char *file)
{
	serial.out = file ? fopen(file, "ae") : stdout;
	if (!serial.out)
		die("%s: %s", file, strerror(errno));
}

void serial_flush(void)
{
	fflush(serial.out);
}

static void serial_update_irq(struct vm *vm)
{
	vm_irq_line(vm, VM_IRQ_SERIAL, serial.pending && serial.ier & IER_TRANSMITTER);
}

static u8 serial_modem(void)
{
	if (!(serial.mcr & MCR_LOOP))
		return MSR_LINE_UP;
	/* Looped back: DTR to DSR, RTS to CTS, the two outputs to RI and DCD. */
	return (serial.mcr & 1) << 5 | (serial.mcr & 2) << 3 | (serial.mcr & 0xc) << 4;
}

static u8 serial_identify(struct vm *vm)
{
	u8 iir = IIR_NONE;

	if (serial.pending && serial.ier & IER_TRANSMITTER) {
		iir = IIR_TRANSMITTER;
		serial.pending = false;
		serial_update_irq(vm);
	}
	return iir | (serial.fcr & FCR_FIFO ? IIR_FIFO : 0);
}

u8 serial_in(struct vm *vm, unsigned int reg)
{
	switch (reg) {
	case REG_DATA:
		return serial.lcr & LCR_DIVISOR ? serial.divisor[0] : 0;
	case REG_IER:
		return serial.lcr & LCR_DIVISOR ? serial.divisor[1] : serial.ier;
	case REG_IIR:
		return serial_identify(vm);
	case REG_LCR:
		return serial.lcr;
	case REG_MCR:
		return serial.mcr;
	case REG_LSR:
		return LSR_TRANSMITTER_EMPTY;
	case REG_MSR:
		return serial_modem();
	}
	return serial.scratch;
}

static void serial_transmit(struct vm *vm, u8 byte)
{
	if (!(serial.mcr & MCR_LOOP)) {
		putc_unlocked(byte, serial.out);
		if (byte == '\n')
			serial_flush();
	}
	serial.pending = true;
	if (serial.ier & IER_TRANSMITTER)
		serial_update_irq(vm);
}

void serial_out(struct vm *vm, unsigned int reg, u8 value)
{
	switch (reg) {
	case REG_DATA:
		if (serial.lcr & LCR_DIVISOR)
			serial.divisor[0] = value;
		else
			serial_transmit(vm, value);
		break;
	case REG_IER:
		if (serial.lcr & LCR_DIVISOR) {
			serial.divisor[1] = value;
			break;
		}
		/* Asked for while empty: that counts as having become so. */
		if (~serial.ier & value & IER_TRANSMITTER)
			serial.pending = true;
		if (serial.ier != (value & 0xf)) {
			serial.ier = value & 0xf;
			serial_update_irq(vm);
		}
		break;
	case REG_IIR:
		serial.fcr = value;
		break;
	case REG_LCR:
		serial.lcr = value;
		break;
	case REG_MCR:
		serial.mcr = value;
		break;
	case REG_SCRATCH:
		serial.scratch = value;
		break;
	}
}
