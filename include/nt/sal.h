/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Windows' source annotations. They speak to Microsoft's static analysers
 * only, so here each of them is nothing.
 */
#ifndef _NT_SAL_H
#define _NT_SAL_H

#define _In_
#define _In_opt_
#define _In_z_
#define _In_reads_(count)
#define _In_reads_opt_(count)
#define _In_reads_bytes_(size)
#define _In_reads_bytes_opt_(size)
#define _Inout_
#define _Inout_opt_
#define _Inout_updates_(count)
#define _Inout_updates_bytes_(size)
#define _Out_
#define _Out_opt_
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Out_writes_(count)
#define _Out_writes_opt_(count)
#define _Out_writes_bytes_(size)
#define _Out_writes_bytes_opt_(size)
#define _Out_writes_bytes_to_(size, used)
#define _Out_writes_bytes_to_opt_(size, used)
#define _Ret_maybenull_
#define _Ret_notnull_
#define _Reserved_
#define _Field_size_(count)
#define _Field_size_bytes_(size)
#define _Printf_format_string_
#define _Check_return_
/* The one annotation that a compiler has, too: gcc obeys it in a type of functions. */
#define _Must_inspect_result_ __must_check
#define _Use_decl_annotations_
#define _Success_(condition)
#define _When_(condition, annotations)
#define _At_(target, annotations)
#define _Analysis_assume_(condition)
#define _Function_class_(name)
#define _Acquires_lock_(lock)
#define _Releases_lock_(lock)
#define _Requires_lock_held_(lock)
#define _Guarded_by_(lock)
#define _Interlocked_
#define _Interlocked_operand_
#define _IRQL_requires_(level)
#define _IRQL_requires_max_(level)
#define _IRQL_requires_min_(level)
#define _IRQL_requires_same_
#define _IRQL_raises_(level)
#define _IRQL_saves_
#define _IRQL_restores_

#endif /* _NT_SAL_H */
