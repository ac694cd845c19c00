/* SPDX-License-Identifier: GPL-2.0 */
/* What Windows' headers have and mingw-w64's do not, for the samples. */
#ifndef LINT_WINDOWS_H
#define LINT_WINDOWS_H

long ReadNoFence(const long *Source);

#endif
