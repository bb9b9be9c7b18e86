#!/usr/bin/env bash
# daemon.sh start|stop CLASS INSTANCE COMMAND…: starts a daemon in the background, or stops it. Names of log
# and PID files, and the variables that say where they are, are those of Spark's spark-daemon.sh.
set -euo pipefail
action=$1 class=$2 instance=$3
shift 3

: "${SPARK_IDENT_STRING:=${USER:-$(id -un)}}"
: "${SPARK_PID_DIR:=/tmp}"
: "${SPARK_LOG_DIR:=${SPARK_HOME:-$PWD}/logs}"
: "${SPARK_STOP_TIMEOUT:=30}"
name=spark-$SPARK_IDENT_STRING-$class-$instance
pid_file=$SPARK_PID_DIR/$name.pid
log=$SPARK_LOG_DIR/$name-$(hostname).out

# runs PID: whether the process is one of ours, and not another that got its number.
runs() {
	[[ -n ${1:-} && -r /proc/$1/cmdline ]] && tr '\0' ' ' <"/proc/$1/cmdline" | grep -q ' spark '
}

pid=$(cat "$pid_file" 2>/dev/null || true)
case $action in
start)
	if runs "$pid"; then
		echo "$class running as process $pid. Stop it first." >&2
		exit 1
	fi
	mkdir -p "$SPARK_PID_DIR" "$SPARK_LOG_DIR"
	echo "starting $class, logging to $log"
	if [[ -n ${SPARK_NO_DAEMONIZE:-} ]]; then
		exec "$@"
	fi
	[[ -f $log ]] && mv "$log" "$log.1"
	nohup "$@" >"$log" 2>&1 </dev/null &
	pid=$!
	echo "$pid" >"$pid_file"
	for _ in 1 2 3 4 5; do # that it ends at once is worth saying here
		sleep 0.1
		if ! kill -0 "$pid" 2>/dev/null; then
			echo "failed to launch $class:" >&2
			tail -n 10 "$log" >&2
			rm -f "$pid_file"
			exit 1
		fi
	done
	;;
stop)
	if ! runs "$pid"; then
		echo "no $class to stop"
		rm -f "$pid_file"
		exit 0
	fi
	echo "stopping $class"
	kill "$pid"
	for ((i = 0; i < SPARK_STOP_TIMEOUT * 10; i++)); do
		runs "$pid" || break
		sleep 0.1
	done
	if runs "$pid"; then
		echo "$class did not stop in $SPARK_STOP_TIMEOUT s: killing it" >&2
		kill -9 "$pid"
	fi
	rm -f "$pid_file"
	;;
esac
