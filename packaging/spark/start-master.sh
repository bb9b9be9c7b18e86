#!/usr/bin/env bash
# start-master.sh [option…]: starts a Master, as Spark's script of this name does. MESETA is the program.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
exec "$here/daemon.sh" start org.apache.spark.deploy.master.Master 1 "${MESETA:-meseta}" spark master "$@"
