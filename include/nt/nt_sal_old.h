/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * The source annotations of Windows' kits before 8, as nothing: for a driver's source only,
 * for Linux' headers have some of these words. Part of <wdm.h>.
 */
#ifndef _NT_SAL_OLD_H
#define _NT_SAL_OLD_H

#define __in
#define __in_opt
#define __in_z
#define __in_z_opt
#define __in_nz
#define __inout
#define __inout_opt
#define __inout_z
#define __out
#define __out_opt
#define __out_z
#define __deref_out
#define __deref_out_opt
#define __deref_opt_out
#define __deref_opt_out_opt
#define __deref_inout
#define __deref_inout_opt
#define __deref_out_z
#define __reserved
#define __checkReturn
#define __nullterminated
#define __notnull
#define __maybenull
#define __valid
#define __notvalid
#define __refparam
#define __format_string
#define __callback
#define __override
#define __fallthrough
#define __kernel_entry
#define __nonvolatile
#define __in_ecount(size)
#define __in_ecount_z(size)
#define __in_ecount_opt(size)
#define __in_ecount_z_opt(size)
#define __in_bcount(size)
#define __in_bcount_opt(size)
#define __out_ecount(size)
#define __out_ecount_z(size)
#define __out_ecount_full(size)
#define __out_ecount_opt(size)
#define __out_ecount_z_opt(size)
#define __out_ecount_full_opt(size)
#define __out_bcount(size)
#define __out_bcount_full(size)
#define __out_bcount_opt(size)
#define __out_bcount_full_opt(size)
#define __inout_ecount(size)
#define __inout_ecount_z(size)
#define __inout_ecount_full(size)
#define __inout_ecount_opt(size)
#define __inout_ecount_z_opt(size)
#define __inout_ecount_full_opt(size)
#define __inout_bcount(size)
#define __inout_bcount_full(size)
#define __inout_bcount_opt(size)
#define __inout_bcount_full_opt(size)
#define __deref_out_ecount(size)
#define __deref_out_ecount_opt(size)
#define __deref_out_bcount(size)
#define __deref_out_bcount_opt(size)
#define __field_ecount(size)
#define __field_ecount_opt(size)
#define __field_ecount_full(size)
#define __elem_writableTo(size)
#define __field_bcount(size)
#define __field_bcount_opt(size)
#define __field_bcount_full(size)
#define __struct_bcount(size)
#define __success(size)
#define __field_data_source(size)
#define __control_entrypoint(size)
#define __typefix(size)
#define __blocksOn(size)
#define __assume_bound(size)
#define __byte_readableTo(size)
#define __byte_writableTo(size)
#define __elem_readableTo(size)
#define __writableTo(size)
#define __readableTo(size)
#define __analysis_assume(size)
#define __analysis_hint(size)
#define __out_ecount_part(from, to)
#define __out_ecount_part_opt(from, to)
#define __out_bcount_part(from, to)
#define __out_bcount_part_opt(from, to)
#define __inout_ecount_part(from, to)
#define __inout_ecount_part_opt(from, to)
#define __inout_bcount_part(from, to)
#define __inout_bcount_part_opt(from, to)
#define __deref_out_ecount_part(from, to)
#define __deref_out_ecount_part_opt(from, to)
#define __deref_out_bcount_part(from, to)
#define __deref_out_bcount_part_opt(from, to)
#define __field_ecount_part(from, to)
#define __field_bcount_part(from, to)
#define __in_range(from, to)
#define __out_range(from, to)
#define __field_range(from, to)
#define __range(from, to)

/* Those of drivers */
#define __drv_sameIRQL
#define __drv_savesIRQL
#define __drv_restoresIRQL
#define __drv_aliasesMem
#define __drv_inTry
#define __drv_notInTry
#define __drv_clearDoInit
#define __drv_useCancelIRQL
#define __drv_isCancelIRQL
#define __drv_interlocked
#define __drv_nonConstant
#define __drv_constant
#define __drv_floatUsed
#define __drv_floatSaved
#define __drv_floatRestored
#define __drv_mustHoldCriticalRegion
#define __drv_neverHoldCriticalRegion
#define __drv_maxIRQL(what)
#define __drv_minIRQL(what)
#define __drv_requiresIRQL(what)
#define __drv_raisesIRQL(what)
#define __drv_setsIRQL(what)
#define __drv_functionClass(what)
#define __drv_dispatchType(what)
#define __drv_allocatesMem(what)
#define __drv_freesMem(what)
#define __drv_reportError(what)
#define __drv_formatString(what)
#define __drv_in(what)
#define __drv_out(what)
#define __drv_inout(what)
#define __drv_in_deref(what)
#define __drv_out_deref(what)
#define __drv_deref(what)
#define __drv_ret(what)
#define __drv_fun(what)
#define __drv_mustHold(what)
#define __drv_mustHoldGlobal(what)
#define __drv_neverHold(what)
#define __drv_neverHoldGlobal(what)
#define __drv_acquiresExclusiveResource(what)
#define __drv_releasesExclusiveResource(what)
#define __drv_acquiresResource(what)
#define __drv_releasesResource(what)
#define __drv_group(what)
#define __drv_valueIs(what)
#define __drv_strictTypeMatch(what)
#define __drv_maxFunctionIRQL(what)
#define __drv_minFunctionIRQL(what)
#define __drv_unreferenced(what)
#define __drv_completionType(what)
#define __drv_callbackType(what)
#define __drv_when(what, annotations)
#define __drv_at(what, annotations)
#define __drv_arg(what, annotations)
#define __drv_strictType(what, annotations)
#define __drv_preferredFunction(what, annotations)
#define __drv_savesIRQLGlobal(what, annotations)
#define __drv_restoresIRQLGlobal(what, annotations)
#define __drv_acquiresResourceGlobal(what, annotations)
#define __drv_releasesResourceGlobal(what, annotations)
#define __drv_isObjectPointer
#define __drv_acquiresCriticalRegion
#define __drv_releasesCriticalRegion
#define __drv_acquiresCancelSpinLock
#define __drv_releasesCancelSpinLock
#define __drv_mustHoldCancelSpinLock
#define __drv_neverHoldCancelSpinLock
#define __drv_holdsCancelSpinLock

#endif /* _NT_SAL_OLD_H */
