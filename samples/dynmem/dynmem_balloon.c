// SPDX-License-Identifier: GPL-2.0
/*
 * The balloon: pages that the guest holds without using them, so that the host
 * may use them elsewhere.
 */
#include <ntddk.h>
#include <vmbuskernelmodeclientlibapi.h>

#include "dynmem.h"
#include "dynmem_client.h"
#include "dynmem_proto.h"

/* Large pages are what the host can do most with: 2 MiB. */
#define DYNMEM_BLOCK_PAGES	512

/* Below these, in MiB and as a part of all memory, the guest keeps its pages. */
#define DYNMEM_FLOOR_MIB	32
#define DYNMEM_FLOOR_SHIFT	3

UINT64 DynmemBalloonFloor(const DYNMEM_MEMORY *Memory)
{
	return DYNMEM_FLOOR_MIB * DYNMEM_PAGES_PER_MIB +
	       (Memory->TotalPages >> DYNMEM_FLOOR_SHIFT);
}

/* How many of the pages that the host asked for may be given away. */
static UINT64 DynmemBalloonAllowance(UINT64 Wanted)
{
	DYNMEM_MEMORY memory;
	UINT64 floor;
	UINT64 spare;

	DynmemQueryMemory(&memory);
	floor = DynmemBalloonFloor(&memory);
	if (memory.AvailablePages <= floor)
		return 0;

	spare = memory.AvailablePages - floor;
	return Wanted < spare ? Wanted : spare;
}

/*
 * Takes pages until *Remaining have been taken, the response has no room for
 * another range, or no more can be had: *Remaining is 0 then.
 */
static UINT64 DynmemBalloonFill(PDYNMEM Dynmem, PUINT64 Remaining,
				PULONG BlockPages, PULONG RangeCount)
{
	PDYNMEM_BALLOON_RESPONSE response = &Dynmem->Balloon.Response;
	UINT64 taken = 0;
	ULONG count = 0;

	while (*Remaining && count < DYNMEM_BALLOON_RESPONSE_RANGES) {
		UINT64 first;
		ULONG pages;

		/* Memory may be plentiful, and the host be gone meanwhile. */
		pages = 0;
		if (DynmemGetState(Dynmem) == DynmemStateActive) {
			if (*BlockPages > *Remaining)
				*BlockPages = (ULONG)*Remaining;
			pages = DynmemTakePages(Dynmem->Pages, *BlockPages, &first);
		}
		if (!pages) {
			*Remaining = 0;
			break;
		}

		/* No larger block is to be had: ask for no larger one. */
		*BlockPages = pages;
		response->Ranges[count++] = DYNMEM_RANGE(first, pages);
		taken += pages;
		*Remaining -= pages;
	}

	*RangeCount = count;
	return taken;
}

/* The host never learned of these pages. */
static VOID DynmemBalloonUnfill(PDYNMEM Dynmem, ULONG RangeCount)
{
	PDYNMEM_BALLOON_RESPONSE response = &Dynmem->Balloon.Response;
	ULONG i;

	for (i = 0; i < RangeCount; i++)
		DynmemReturnPages(Dynmem->Pages, DYNMEM_RANGE_FIRST(response->Ranges[i]),
				  DYNMEM_RANGE_PAGES(response->Ranges[i]));
}

VOID DynmemBalloonUp(PDYNMEM Dynmem, const DYNMEM_BALLOON_REQUEST *Request)
{
	PDYNMEM_BALLOON_RESPONSE response = &Dynmem->Balloon.Response;
	UINT64 remaining = DynmemBalloonAllowance(Request->Pages);
	ULONG block = DYNMEM_BLOCK_PAGES;
	UINT64 given = 0;
	ULONG ranges = 0;

	/* The host waits for a last response, be it one without a range. */
	do {
		NTSTATUS status;
		UINT64 taken;
		ULONG count;

		RtlZeroMemory(response, sizeof(*response));
		taken = DynmemBalloonFill(Dynmem, &remaining, &block, &count);
		response->MoreAndCount = count << DYNMEM_BALLOON_COUNT_SHIFT;
		if (remaining)
			response->MoreAndCount |= DYNMEM_BALLOON_MORE;

		/* Once it is sent, the host may ask for the pages back. */
		InterlockedExchangeAdd(&Dynmem->Ballooned, (LONG)taken);
		status = DynmemSend(Dynmem, &response->Header,
				    DYNMEM_TYPE_BALLOON_RESPONSE,
				    sizeof(*response) +
				    count * sizeof(response->Ranges[0]));
		if (!NT_SUCCESS(status)) {
			InterlockedExchangeAdd(&Dynmem->Ballooned, -(LONG)taken);
			DynmemBalloonUnfill(Dynmem, count);
			DynmemComplain(Dynmem, "a balloon response was not sent");
			break;
		}
		given += taken;
		ranges += count;
	} while (remaining);

	DynmemLog("balloon up: %llu pages (%llu MiB) given to the host in %u ranges\n",
		  given, given / DYNMEM_PAGES_PER_MIB, (unsigned int)ranges);
}

VOID DynmemBalloonDown(PDYNMEM Dynmem,
		       const DYNMEM_UNBALLOON_REQUEST *Request, UINT32 Length)
{
	DYNMEM_UNBALLOON_RESPONSE response;
	UINT64 back = 0;
	UINT64 named = 0;
	ULONG i;

	if (Request->RangeCount >
	    (Length - sizeof(*Request)) / sizeof(Request->Ranges[0])) {
		DynmemComplain(Dynmem, "an unballoon request has more ranges than bytes");
		return;
	}

	for (i = 0; i < Request->RangeCount; i++) {
		UINT64 pages = DYNMEM_RANGE_PAGES(Request->Ranges[i]);

		named += pages;
		back += DynmemReturnPages(Dynmem->Pages,
					  DYNMEM_RANGE_FIRST(Request->Ranges[i]), pages);
	}
	InterlockedExchangeAdd(&Dynmem->Ballooned, -(LONG)back);
	Dynmem->TakenBack += back;

	if (back != named)
		DynmemComplain(Dynmem, "the host returned pages that it was never given");

	if (Request->Flags & DYNMEM_UNBALLOON_MORE)
		return;

	RtlZeroMemory(&response, sizeof(response));
	if (!NT_SUCCESS(DynmemSend(Dynmem, &response.Header,
				   DYNMEM_TYPE_UNBALLOON_RESPONSE,
				   sizeof(response))))
		DynmemComplain(Dynmem, "an unballoon response was not sent");

	DynmemLog("balloon down: %llu pages (%llu MiB) taken back\n",
		  Dynmem->TakenBack, Dynmem->TakenBack / DYNMEM_PAGES_PER_MIB);
	Dynmem->TakenBack = 0;
}

/* For when there is no host any more that could give the pages back. */
UINT64 DynmemBalloonEmpty(PDYNMEM Dynmem)
{
	UINT64 back;

	back = DynmemReturnPages(Dynmem->Pages, 0, (UINT64)1 << DYNMEM_RANGE_FIRST_BITS);
	InterlockedExchange(&Dynmem->Ballooned, 0);
	Dynmem->TakenBack = 0;
	return back;
}
