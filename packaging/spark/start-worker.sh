#!/usr/bin/env bash
# start-worker.sh spark://HOST:PORT [option…]: starts a Worker, or SPARK_WORKER_INSTANCES of them, as Spark's
# script of this name does. MESETA is the program.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
class=org.apache.spark.deploy.worker.Worker
if [[ $# -lt 1 ]]; then
	echo "usage: start-worker.sh spark://HOST:PORT[,HOST:PORT…] [option…]" >&2
	exit 1
fi
first=${SPARK_WORKER_WEBUI_PORT:-8081}
for ((i = 0; i < ${SPARK_WORKER_INSTANCES:-1}; i++)); do
	ports=(--webui-port $((first + i)))
	[[ -n ${SPARK_WORKER_PORT:-} ]] && ports+=(--port $((SPARK_WORKER_PORT + i)))
	"$here/daemon.sh" start "$class" $((i + 1)) "${MESETA:-meseta}" spark worker "${ports[@]}" "$@"
done
