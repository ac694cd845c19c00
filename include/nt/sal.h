/* SPDX-License-Identifier: GPL-2.0 OR MIT */
/*
 * Windows' source annotations. They speak to Microsoft's static analysers
 * only, so here each of them is nothing.
 */
#ifndef _NT_SAL_H
#define _NT_SAL_H

/* Parameters, what they point to, and results */
#define _In_
#define _In_opt_
#define _In_z_
#define _In_opt_z_
#define _Inout_
#define _Inout_opt_
#define _Inout_z_
#define _Inout_opt_z_
#define _Out_
#define _Out_opt_
#define _Outref_
#define _Outref_result_maybenull_
#define _Outptr_
#define _Outptr_opt_
#define _Outptr_result_maybenull_
#define _Outptr_opt_result_maybenull_
#define _Outptr_result_z_
#define _Outptr_opt_result_z_
#define _Outptr_result_maybenull_z_
#define _Outptr_result_nullonfailure_
#define _Outptr_opt_result_nullonfailure_
#define _COM_Outptr_
#define _Ret_maybenull_
#define _Ret_notnull_
#define _Ret_null_
#define _Ret_valid_
#define _Ret_z_
#define _Ret_maybenull_z_
#define _Reserved_
#define _Const_
#define _Null_
#define _Notnull_
#define _Maybenull_
#define _Null_terminated_
#define _NullNull_terminated_
#define _Notref_
#define _Readable_
#define _Valid_
#define _Notvalid_
#define _Maybevalid_
#define _Pre_valid_
#define _Pre_null_
#define _Pre_notnull_
#define _Pre_maybenull_
#define _Pre_z_
#define _Post_valid_
#define _Post_invalid_
#define _Post_ptr_invalid_
#define _Post_null_
#define _Post_notnull_
#define _Post_maybenull_
#define _Post_z_
#define _Points_to_data_
#define _Literal_
#define _Notliteral_
#define _Deref_out_
#define _Deref_out_opt_
#define _Deref_opt_out_
#define _Deref_opt_out_opt_
#define _Deref_pre_maybenull_
#define _Deref_post_maybenull_
#define _Deref_post_notnull_
#define _Printf_format_string_
#define _Scanf_format_string_
#define _Strict_type_match_

/* With a number of elements or bytes */
#define _In_reads_(size)
#define _In_reads_opt_(size)
#define _In_reads_bytes_(size)
#define _In_reads_bytes_opt_(size)
#define _In_reads_z_(size)
#define _In_reads_opt_z_(size)
#define _In_reads_or_z_(size)
#define _In_reads_or_z_opt_(size)
#define _Inout_updates_(size)
#define _Inout_updates_opt_(size)
#define _Inout_updates_z_(size)
#define _Inout_updates_bytes_(size)
#define _Inout_updates_bytes_opt_(size)
#define _Inout_updates_all_(size)
#define _Inout_updates_all_opt_(size)
#define _Inout_updates_bytes_all_(size)
#define _Inout_updates_bytes_all_opt_(size)
#define _Out_writes_(size)
#define _Out_writes_opt_(size)
#define _Out_writes_z_(size)
#define _Out_writes_opt_z_(size)
#define _Out_writes_bytes_(size)
#define _Out_writes_bytes_opt_(size)
#define _Out_writes_all_(size)
#define _Out_writes_all_opt_(size)
#define _Out_writes_bytes_all_(size)
#define _Out_writes_bytes_all_opt_(size)
#define _Out_writes_maybenull_(size)
#define _Outptr_result_buffer_(size)
#define _Outptr_opt_result_buffer_(size)
#define _Outptr_result_buffer_maybenull_(size)
#define _Outptr_result_bytebuffer_(size)
#define _Outptr_opt_result_bytebuffer_(size)
#define _Outptr_result_bytebuffer_maybenull_(size)
#define _Ret_writes_(size)
#define _Ret_writes_bytes_(size)
#define _Ret_writes_maybenull_(size)
#define _Ret_writes_bytes_maybenull_(size)
#define _Ret_writes_z_(size)
#define _Readable_bytes_(size)
#define _Readable_elements_(size)
#define _Writable_bytes_(size)
#define _Writable_elements_(size)
#define _Pre_readable_size_(size)
#define _Pre_readable_byte_size_(size)
#define _Pre_writable_size_(size)
#define _Pre_writable_byte_size_(size)
#define _Post_readable_size_(size)
#define _Post_readable_byte_size_(size)
#define _Post_writable_size_(size)
#define _Post_writable_byte_size_(size)
#define _Field_size_(size)
#define _Field_size_opt_(size)
#define _Field_size_full_(size)
#define _Field_size_bytes_(size)
#define _Field_size_bytes_opt_(size)
#define _Field_size_bytes_full_(size)
#define _Struct_size_bytes_(size)
#define _Field_z_

/* With two: what there is room for, and what of it is used, or a range */
#define _In_reads_to_(from, to)
#define _Inout_updates_to_(from, to)
#define _Inout_updates_to_opt_(from, to)
#define _Inout_updates_bytes_to_(from, to)
#define _Inout_updates_bytes_to_opt_(from, to)
#define _Out_writes_to_(from, to)
#define _Out_writes_to_opt_(from, to)
#define _Out_writes_bytes_to_(from, to)
#define _Out_writes_bytes_to_opt_(from, to)
#define _Outptr_result_buffer_to_(from, to)
#define _Outptr_result_bytebuffer_to_(from, to)
#define _Ret_writes_to_(from, to)
#define _Ret_writes_bytes_to_(from, to)
#define _Field_size_part_(from, to)
#define _Field_size_bytes_part_(from, to)
#define _Field_range_(from, to)
#define _In_range_(from, to)
#define _Out_range_(from, to)
#define _Ret_range_(from, to)
#define _Deref_in_range_(from, to)
#define _Deref_out_range_(from, to)

/* Functions, conditions, and the analyser itself */
#define _Check_return_
/* The one annotation that a compiler has, too: gcc obeys it in a type of functions. */
#define _Must_inspect_result_ __must_check
#define _Use_decl_annotations_
#define _Analysis_noreturn_
#define _Analysis_suppress_lock_checking_
#define _Maybe_raises_SEH_exception_
#define _Always_raises_SEH_exception_
#define _Raises_SEH_exception_
#define _Success_(what)
#define _On_failure_(what)
#define _Return_type_success_(what)
#define _Pre_satisfies_(what)
#define _Post_satisfies_(what)
#define _Satisfies_(what)
#define _Function_class_(what)
#define _Analysis_assume_(what)
#define _Analysis_assume_nullterminated_(what)
#define _Analysis_assume_lock_held_(what)
#define _Analysis_assume_lock_not_held_(what)
#define _Analysis_mode_(what)
#define _Post_equal_to_(what)
#define _Unchanged_(what)
#define _Pre_equal_to_(what)
#define _When_(target, annotations)
#define _At_(target, annotations)
#define _Group_(annotations)
#define _At_buffer_(target, iterator, bound, annotations)

/* Locks */
#define _Acquires_lock_(lock)
#define _Releases_lock_(lock)
#define _Requires_lock_held_(lock)
#define _Requires_lock_not_held_(lock)
#define _Acquires_exclusive_lock_(lock)
#define _Acquires_shared_lock_(lock)
#define _Acquires_nonreentrant_lock_(lock)
#define _Acquires_spin_lock_(lock)
#define _Releases_exclusive_lock_(lock)
#define _Releases_shared_lock_(lock)
#define _Releases_nonreentrant_lock_(lock)
#define _Releases_spin_lock_(lock)
#define _Requires_exclusive_lock_held_(lock)
#define _Requires_shared_lock_held_(lock)
#define _Create_lock_level_(lock)
#define _Guarded_by_(lock)
#define _Write_guarded_by_(lock)
#define _Has_lock_kind_(lock)
#define _Function_ignore_lock_checking_(lock)
#define _Requires_spin_lock_held_(lock)
#define _Requires_spin_lock_not_held_(lock)
#define _Lock_level_order_(first, second)
#define _Post_same_lock_(first, second)
#define _Requires_no_locks_held_
#define _Interlocked_
#define _Interlocked_operand_
#define _Has_lock_level_

/* Interrupt request levels, and what else only drivers have */
#define _IRQL_requires_(level)
#define _IRQL_requires_max_(level)
#define _IRQL_requires_min_(level)
#define _IRQL_raises_(level)
#define _IRQL_always_function_max_(level)
#define _IRQL_always_function_min_(level)
#define _IRQL_limited_to_(level)
#define _IRQL_requires_same_
#define _IRQL_saves_
#define _IRQL_restores_
#define _IRQL_uses_cancel_
#define _IRQL_is_cancel_
#define _IRQL_saves_global_(kind, parameter)
#define _IRQL_restores_global_(kind, parameter)
#define _Kernel_float_saved_
#define _Kernel_float_restored_
#define _Kernel_float_used_
#define _Kernel_entry_
#define _Kernel_entry_always_
#define _Kernel_IoGetDmaAdapter_
#define _Flt_CompletionContext_Outptr_
#define _Dispatch_type_(what)
#define _Kernel_requires_resource_held_(what)
#define _Kernel_requires_resource_not_held_(what)
#define _Kernel_acquires_resource_(what)
#define _Kernel_releases_resource_(what)
#define _Kernel_clear_do_init_(what)

#endif /* _NT_SAL_H */
