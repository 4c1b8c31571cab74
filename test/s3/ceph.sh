#!/usr/bin/env bash
# Ceph with its S3 gateway on loopback, one daemon of each kind: the engine of a cluster without its copies.
#   CEPH_DIR=/tmp/ceph CEPH_PORT=17600 test/s3/ceph.sh start    starts what does not run
#   CEPH_DIR=/tmp/ceph test/s3/ceph.sh stop                     ends it and removes the data
# CEPH_STORE is memstore (in memory, starts in a second) or bluestore (in files, outlives kill -9). The S3 port is CEPH_PORT;
# the next 19 are the cluster's own. The key is fixed and public: nobody but this machine can reach the gateway.
set -euo pipefail
: "${CEPH_DIR:?names the folder for data, logs and pids}"
conf=$CEPH_DIR/ceph.conf
umask 077

# The daemon's pid while it runs: a number alone may be another process's by now.
pid_of() {
  local pid
  pid=$(cat "$CEPH_DIR/run/$1.pid" 2>/dev/null) && [ -n "$pid" ] &&
    { tr '\0' '\n' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qxF "$conf" && echo "$pid"
}

# Nothing of it is needed any more, so nothing has to be written down first.
stop() {
  local name pid
  for name in client.rgw.a osd.0 mon.a; do
    if pid=$(pid_of "$name"); then kill -9 "$pid"; fi
    while pid_of "$name" >/dev/null; do sleep 0.01; done
  done
  rm -rf "$CEPH_DIR"
}

configure() {
  cat >"$conf" <<CONF
[global]
fsid = 7a0f6f3e-31f5-4c3b-9f5c-0d6a5e6f2c11
mon_host = v2:127.0.0.1:$((CEPH_PORT + 1))/0
mon_initial_members = a
auth_allow_insecure_global_id_reclaim = false
keyring = $CEPH_DIR/keyring
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
ms_bind_ipv6 = false
ms_bind_msgr1 = false
ms_bind_port_min = $((CEPH_PORT + 2))
ms_bind_port_max = $((CEPH_PORT + 19))
osd_pool_default_size = 1
osd_pool_default_min_size = 1
mon_allow_pool_size_one = true
osd_crush_chooseleaf_type = 0
osd_pool_default_pg_num = 4
osd_pool_default_pgp_num = 4
osd_pool_default_pg_autoscale_mode = off
mon_max_pg_per_osd = 2000
admin_socket =
run_dir = $CEPH_DIR/run
pid_file = $CEPH_DIR/run/\$name.pid
log_file = $CEPH_DIR/log/\$name.log
crash_dir = $CEPH_DIR/log
log_to_stderr = false
mon_cluster_log_to_file = false
[mon]
mon_data = $CEPH_DIR/mon
# Each step of the setup waits for a decision of the monitor's, which would take its time to gather more.
paxos_propose_interval = 0.01
paxos_min_wait = 0.005
mon_data_avail_warn = 1
mon_data_avail_crit = 1
[osd]
osd_data = $CEPH_DIR/osd
osd_objectstore = ${CEPH_STORE:-memstore}
osd_memory_target = 1073741824
memstore_device_bytes = 8589934592
bluestore_block_size = 8589934592
[client.rgw.a]
rgw_data = $CEPH_DIR/rgw
rgw_frontends = beast endpoint=127.0.0.1:$CEPH_PORT tcp_nodelay=1
rgw_enable_apis = s3
rgw_run_sync_thread = false
rgw_dynamic_resharding = false
rgw_override_bucket_index_max_shards = 1
CONF
}

run() { "$@" >>"$CEPH_DIR/log/start.log" 2>&1 </dev/null || { tail -n 5 "$CEPH_DIR/log/start.log" >&2; exit 1; }; }

make_monitor() {
  local name
  for name in mon. client.admin osd.0 client.rgw.a; do
    run ceph-authtool "$CEPH_DIR/keyring" --gen-key -n "$name" --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *'
  done
  run monmaptool --create --fsid 7a0f6f3e-31f5-4c3b-9f5c-0d6a5e6f2c11 --addv a "[v2:127.0.0.1:$((CEPH_PORT + 1))]" "$CEPH_DIR/monmap"
  run ceph-mon -c "$conf" -i a --mkfs --monmap "$CEPH_DIR/monmap" --keyring "$CEPH_DIR/keyring"
}

make_osd() {
  local id=7a0f6f3e-31f5-4c3b-9f5c-0d6a5e6f2c12
  run timeout 60 ceph -c "$conf" --connect-timeout 30 osd new $id
  run ceph-osd -c "$conf" -i 0 --mkfs --osd-uuid $id
}

# Again and again: one that was just killed may still hold its pid file.
begin() {
  if pid_of "$1" >/dev/null; then return; fi
  for _ in $(seq 50); do
    if "${@:2}" -c "$conf" >>"$CEPH_DIR/log/start.log" 2>&1 </dev/null; then return; fi
    sleep 0.1
  done
  tail -n 5 "$CEPH_DIR/log/start.log" >&2
  exit 1
}

start() {
  : "${CEPH_PORT:?is the S3 port}"
  local fresh=1
  [ ! -e "$CEPH_DIR/made" ] || fresh=
  if [ $fresh ]; then
    mkdir -p "$CEPH_DIR"/{mon,osd,rgw,run,log}
    : >"$CEPH_DIR/keyring"
    configure
    make_monitor
  fi
  begin mon.a ceph-mon -i a
  if [ $fresh ]; then make_osd; fi
  begin osd.0 ceph-osd -i 0
  if [ $fresh ]; then
    run timeout 120 radosgw-admin -c "$conf" user create --uid=range --display-name=range \
      --access-key=rangetestaccess --secret=rangetestsecretrangetestsecret
    touch "$CEPH_DIR/made"
  fi
  begin client.rgw.a radosgw -n client.rgw.a
}

case ${1:-} in
  start) start ;;
  stop) stop ;;
  *) echo 'usage: ceph.sh start|stop' >&2; exit 2 ;;
esac
