#!/usr/bin/env bash
# stop-master.sh: stops the Master that start-master.sh has started.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$here/daemon.sh" stop org.apache.spark.deploy.master.Master 1
