#!/bin/sh
# Runs `koe`. Refuses an API that other machines could reach and that has no keys, with the status of a wrong setting.
case "${1:-}" in
serve | api)
	case "${KOE_HOST:-127.0.0.1}" in
	127.* | localhost | ::1 | '[::1]') ;;
	*)
		if [ -z "${KOE_API_KEYS:-}${KOE_API_KEYS_FILE:-}${ALLOW_NO_KEYS:-}" ]; then
			echo "Error: with KOE_HOST=$KOE_HOST everybody who reaches this container could call Koe. Set KOE_API_KEYS or" \
				"KOE_API_KEYS_FILE; or ALLOW_NO_KEYS=1 where something else decides who may call." >&2
			exit 78
		fi
		;;
	esac
	;;
esac
exec koe "$@"
