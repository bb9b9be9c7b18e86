package settings

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// aliases are the other names under which Mesos has a setting of ours.
var aliases = map[string][]string{
	"agent-ping-timeout":       {"slave-ping-timeout"},
	"max-agent-ping-timeouts":  {"max-slave-ping-timeouts"},
	"agent-reregister-timeout": {"slave-reregister-timeout"},
	"agent-removal-rate-limit": {"slave-removal-rate-limit"},
	"agent-removal-limit":      {"recovery-agent-removal-limit", "recovery-slave-removal-limit"},
}

// Foreign is a setting of Mesos that has no meaning here.
type Foreign struct {
	Name    string
	Why     string
	Refused bool   // because to ignore it would be dangerous; otherwise there is a warning
	Switch  bool   // needs no value
	Silent  string // the value, if any, with which Mesos does what happens here anyway: nothing is said
}

// rule says of settings of Mesos what becomes of them, and why. Names are separated by spaces. A "?" after
// a name marks a switch, and "=value" a value that Mesos gives the meaning that things have here.
type rule struct {
	of    []Daemon
	what  fate
	why   string
	names string
}

type fate bool

const (
	ignored fate = false
	refused fate = true
)

var (
	both    = []Daemon{Master, Agent}
	masters = []Daemon{Master}
	agents  = []Daemon{Agent}
)

// rules are the whole of Mesos' manual, but for what we have ourselves; a test holds them to that.
var rules = []rule{
	{both, ignored, "logs go to stderr, where systemd and containers expect them",
		"log_dir quiet?=false logbufsecs=0 initialize_driver_logging? external_log_file"},
	{both, ignored, "there is no ZooKeeper: masters remember and elect by themselves", "zk_session_timeout"},
	{masters, ignored, "there is no ZooKeeper: masters remember and elect by themselves",
		"zk quorum log_auto_initialize?=true registry_fetch_timeout registry_store_timeout"},
	{both, ignored, "there are no modules to load", "modules modules_dir"},
	{both, refused, "there are no hooks: what they are to change or forbid would happen", "hooks"},
	{both, refused, "there is no such command here; give the address with --ip", "ip_discovery_command"},
	{both, refused, "no endpoint can be closed yet: those that the rules close would be open", "firewall_rules"},
	{both, refused, "authorization is not built yet: everybody might do everything", "acls"},
	{masters, refused, "authorization is not built yet: everybody might do everything", "authorizers=local"},
	{agents, refused, "authorization is not built yet: everybody might do everything", "authorizer=local"},
	{both, refused, "authentication is not built yet: everybody would be let in",
		"authenticate_http_readonly?=false authenticate_http_readwrite?=false"},
	{masters, refused, "authentication is not built yet: everybody would be let in",
		"authenticate?=false authenticate_agents?=false authenticate_slaves?=false authenticate_frameworks?=false " +
			"authenticate_http_frameworks?=false"},
	{both, ignored, "authentication is not built yet, and nobody is asked for it", "http_authenticators"},
	{masters, ignored, "authentication is not built yet, and nobody is asked for it",
		"authenticators=crammd5 authentication_v0_timeout credentials http_framework_authenticators"},
	{agents, ignored, "authentication is not built yet, and nobody is asked for it",
		"authenticatee=crammd5 authentication_backoff_factor authentication_timeout_min authentication_timeout_max " +
			"credential http_credentials"},
	{agents, ignored, "the agent makes itself a key, in its work directory", "jwt_secret_key executor_secret_key"},
	{both, ignored, "offers know nothing of regions and zones yet", "domain"},
	{both, ignored, "memory is profiled with Go's tools", "memory_profiling?=false"},

	{masters, refused, "roles are not restricted: frameworks of all roles would be let in", "roles"},
	{masters, refused, "agents are not restricted: all that come would be used", "whitelist=*"},
	{masters, refused, "agents without a domain would be let in", "require_agent_domain?=false"},
	{masters, refused, "frameworks may run tasks as root", "root_submissions?=true"},
	{masters, refused, "masters find each other by themselves", "master_contender master_detector"},
	{masters, ignored, "the registry is always durable, and bounded by itself",
		"registry=replicated_log registry_strict? registry_gc_interval registry_max_agent_age registry_max_agent_count"},
	{masters, ignored, "offers are made when something changes, by one allocator without such knobs",
		"allocation_interval allocator=HierarchicalDRF role_sorter=drf framework_sorter=drf user_sorter=drf min_allocatable_resources " +
			"allocator_recovery_timeout allocator_agent_recovery_factor fair_sharing_excluded_resource_names"},
	{masters, ignored, "agents with gpus are offered to frameworks that say GPU_RESOURCES, and to no others", "filter_gpu_resources?=true"},
	{masters, ignored, "all roles have the same weight yet", "weights"},
	{masters, ignored, "offers do not time out yet", "offer_timeout"},
	{masters, ignored, "the bounds on calls, streams and memory are the same for everybody",
		"rate_limits max_operator_event_stream_subscribers max_unreachable_tasks_per_framework max_executors_per_agent " +
			"max_executors_per_slave offer_constraints_re2_max_mem offer_constraints_re2_max_program_size"},
	{masters, ignored, "there are no metrics per framework yet", "publish_per_framework_metrics?=false"},
	{masters, ignored, "there is no web interface yet", "webui_dir"},
	{masters, ignored, "nothing shows the name of the cluster yet", "cluster"},

	{agents, refused, "there is one set of capabilities for all tasks, that of linux/capabilities in --isolation",
		"effective_capabilities bounding_capabilities allowed_capabilities"},
	{agents, refused, "system calls are not filtered yet: tasks could make those that are forbidden", "seccomp_profile_name"},
	{agents, refused, "tasks would share the agent's namespaces; with namespaces/pid and namespaces/ipc in --isolation none does",
		"disallow_sharing_agent_pid_namespace?=false disallow_sharing_agent_ipc_namespace?=false"},
	{agents, refused, "containers have no such defaults: tasks would run without what it gives them", "default_container_info"},
	{agents, refused, "an agent always takes over what runs; to end everything instead, stop it with --end-tasks-on-stop", "recover=reconnect"},
	{agents, refused, "masters are named by --master", "master_detector"},
	{agents, ignored, "not enforced yet",
		"cgroups_cpu_enable_pids_and_tids_count?=false " +
			"enforce_container_ports?=false " +
			"check_agent_port_range_only?=false container_ports_isolated_range container_ports_watch_interval " +
			"allowed_devices seccomp_config_dir default_container_shm_size revocable_cpu_low_priority? " +
			"xfs_project_range xfs_kill_containers? xfs_quota_headroom perf_events perf_interval perf_duration"},
	{agents, ignored, "cgroups are found and named by the supervisor",
		"cgroups_hierarchy cgroups_root cgroups_destroy_timeout cgroups_net_cls_primary_handle cgroups_net_cls_secondary_handles " +
			"agent_subsystems slave_subsystems"},
	{agents, ignored, "there is one containerizer, without parts to choose",
		"containerizers=mesos gc_non_executor_container_sandboxes? launcher launcher_dir container_logger http_command_executor? systemd_enable_support? " +
			"systemd_runtime_directory runtime_dir sandbox_directory"},
	{agents, ignored, "there are no images yet: a task that asks for one fails and says so",
		"docker docker_socket docker_config docker_ignore_runtime? docker_kill_orphans? docker_mesos_image docker_registry " +
			"docker_remove_delay docker_stop_timeout docker_store_dir docker_volume_checkpoint_dir docker_volume_chown? " +
			"appc_simple_discovery_uri_prefix appc_store_dir image_providers image_provisioner_backend image_gc_config"},
	{agents, ignored, "there are no volumes yet: a task that asks for one fails and says so",
		"host_path_volume_force_creation volume_gid_range resource_provider_config_dir csi_plugin_config_dir disk_profile_adaptor"},
	{agents, ignored, "there are no container networks yet: a task that asks for one fails and says so",
		"network_cni_plugins_dir network_cni_config_dir network_cni_root_dir_persist? network_cni_metrics? default_container_dns " +
			"ip6 ip6_discovery_command"},
	{agents, ignored, "traffic is neither shaped nor counted per container",
		"ephemeral_ports_per_container eth0_name lo_name egress_rate_limit_per_container egress_unique_flow_per_container? " +
			"egress_flow_classifier_parent egress_burst egress_ceil_limit egress_rate_per_cpu ingress_burst ingress_ceil_limit " +
			"ingress_isolate_existing_containers? ingress_rate_limit_per_container ingress_rate_per_cpu maximum_egress_rate_limit " +
			"maximum_ingress_rate_limit minimum_egress_rate_limit minimum_ingress_rate_limit network_enable_rate_statistics? " +
			"network_enable_snmp_statistics? network_enable_socket_statistics_details? network_enable_socket_statistics_summary? " +
			"network_link_speed network_rate_statistics_interval network_rate_statistics_window"},
	{agents, ignored, "gpus are offered if --resources names them", "nvidia_gpu_devices"},
	{agents, ignored, "resources are not oversubscribed",
		"resource_estimator qos_controller qos_correction_interval_min oversubscribed_resources_interval"},
	{agents, ignored, "secrets by reference are not resolved", "secret_resolver"},
	{agents, ignored, "the wire to executors and masters has no such knobs",
		"agent_features registration_backoff_factor executor_reregistration_retry_interval http_heartbeat_interval " +
			"http_executor_domain_sockets?=false domain_socket_location max_completed_executors_per_framework"},
	{agents, ignored, "what changed in an agent's settings is taken as it is now", "reconfiguration_policy"},
	{agents, ignored, "relative URIs and those of HDFS are not fetched: a task that asks for one fails and says so", "hadoop_home frameworks_home"},
}

// Foreigns are the settings of a daemon of Mesos that have no meaning here, in the order of their names.
func Foreigns(d Daemon) []Foreign {
	var all []Foreign
	for _, r := range rules {
		if !slices.Contains(r.of, d) {
			continue
		}
		for word := range strings.FieldsSeq(r.names) {
			name, silent, _ := strings.Cut(word, "=")
			bare, isSwitch := strings.CutSuffix(name, "?")
			all = append(all, Foreign{Name: bare, Why: r.why, Refused: bool(r.what), Switch: isSwitch, Silent: silent})
		}
	}
	slices.SortFunc(all, func(a, b Foreign) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// foreign is the value of a setting that has no meaning.
type foreign struct {
	Foreign
	text   string
	heeded bool // worth a word
}

func (f *foreign) Set(text string) error {
	f.text, f.heeded = text, !f.silent(text)
	if f.heeded && f.Refused {
		return fmt.Errorf("refused, because to ignore it would be dangerous: %s; leave it out if that is wanted", f.Why)
	}
	return nil
}

// silent says that nothing has to be said of a value.
func (f *foreign) silent(text string) bool {
	if f.Switch {
		on, ok := truth(text)
		return ok && f.Silent == strconv.FormatBool(on)
	}
	return text != "" && text == f.Silent
}

func (f *foreign) String() string { return f.text }
func (f *foreign) Type() string   { return "VALUE" }
