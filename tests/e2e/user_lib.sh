# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# An ordinary user, also where the tests run as root: source it behind lib.sh.
#
#	user COMMAND...		as that user
#	on_glass COMMAND...	likewise, on the stack

user_id=$(id -u)
as_user=()
if [ "$user_id" = 0 ]; then
	user_id=65534
	as_user=(setpriv --reuid "$user_id" --regid "$user_id" --clear-groups)
	chmod 711 "$LAB"
	mkdir -p "$GLASS_DIR"
	chown $user_id:$user_id "$GLASS_DIR"
fi

user()
{
	"${as_user[@]}" "$@"
}

on_glass()
{
	user env LD_PRELOAD="$PRELOAD" "$@"
}
