#!/usr/bin/env bash
# stop-worker.sh: stops what start-worker.sh has started.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
for ((i = 1; i <= ${SPARK_WORKER_INSTANCES:-1}; i++)); do
	"$here/daemon.sh" stop org.apache.spark.deploy.worker.Worker "$i"
done
