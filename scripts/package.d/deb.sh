#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# In the tree: makes the Debian packages of the archive, in /m/deb, and looks at them.

# shellcheck disable=SC2317,SC2154 # functions are called by their names, variables are of lib.sh

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.sh"

# deb VERSION: source and binary packages, in a folder of that name.
deb() {
	local dir=$work/deb-$1
	unpacked "$1" || return
	mkdir "$dir" && cp -r "$work/vmbkmcl-$1" "$dir/" || return
	(cd "$dir/vmbkmcl-$1" && dpkg-buildpackage -us -uc)
}

# Nothing but remarks that a package makes of itself.
lintian_clean() {
	(cd "$work/deb-$version" &&
		lintian --allow-root --fail-on error,warning,info --info ./*_amd64.changes)
}

check 'Debian packages are made' deb "$version"
check 'lintian has nothing to say' lintian_clean
mkdir /m/deb && cp "$work/deb-$version"/*.{deb,dsc,changes,buildinfo,tar.*} /m/deb/
[[ ${BASH_SOURCE[0]} != "$0" ]] || exit "$worst"
