/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The sensor, baseline profile: kernels from 6.1 with BTF, without kprobes or trampolines. */
#include "lib/kernel.h"

#include "fork.bpf.h"
#include "exec.bpf.h"
#include "exit.bpf.h"
#include "attempt.bpf.h"
#include "credentials.bpf.h"
#include "open.bpf.h"
#include "connect.bpf.h"
#include "accept.bpf.h"
#include "redirect.bpf.h"
#include "file_change.bpf.h"
#include "mount.bpf.h"
#include "signal.bpf.h"
#include "fault.bpf.h"
#include "access.bpf.h"
#include "isolation.bpf.h"
#include "capability.bpf.h"
#include "memory.bpf.h"
#include "flow.bpf.h"
#include "sockets.bpf.h"
#include "datagram.bpf.h"
#include "packet.bpf.h"
#include "cgroups.bpf.h"
#include "agent_cgroup.bpf.h"
#include "agent_limit.bpf.h"
#include "snapshot.bpf.h"
#include "doom.bpf.h"
#include "adopt.bpf.h"
#include "inventory.bpf.h"
#include "identify.bpf.h"
#include "integrity.bpf.h"
#include "module.bpf.h"
#include "bpf_calls.bpf.h"
#include "system.bpf.h"
#include "sysctl.bpf.h"
#include "io_uring.bpf.h"
#include "authentication.bpf.h"
#include "shell.bpf.h"
#include "tls.bpf.h"
#include "custom.bpf.h"

/* Full profile: loaded only if user space has found that the kernel attaches it. */
#include "full/open.bpf.h"
#include "full/file_change.bpf.h"
#include "full/socket.bpf.h"
#include "full/unix_datagram.bpf.h"
#include "full/mount.bpf.h"
#include "full/process.bpf.h"
#include "full/exec.bpf.h"
#include "full/bpf_calls.bpf.h"
#include "full/refused.bpf.h"

/* Never set: puts every record and enumeration into the object's
 * BTF, from which the TypeScript decoders are generated. */
struct rf_types {
	union rf_record record;
	struct rf_open_socket open_socket;
	struct rf_cgroup_made cgroup_made;
	struct rf_throttled_key throttled_key;
	struct rf_file_key file_key;
	struct rf_file_path file_path;
	struct rf_file_identity file_identity;
	struct rf_open_descriptor open_descriptor;
	struct rf_doom doom;
	struct rf_victim victim;
	enum rf_file_entry file_entry;
	struct rf_tampering_entry tampering_entry;
	struct rf_failures failures;
	enum rf_limit limit;
	enum rf_counters_limit counters_limit;
	enum rf_hash hash;
	enum rf_address_family address_family;
	enum rf_errno errno;
	enum rf_open_flag open_flag;
	enum rf_at_flag at_flag;
	enum rf_file_mode file_mode;
	enum rf_stdio stdio;
	enum rf_lane lane;
	enum rf_kind kind;
	enum rf_drop drop;
	enum rf_fate fate;
	enum rf_place place;
	enum rf_exec_flag exec_flag;
	enum rf_file_operation file_operation;
	enum rf_mount_operation mount_operation;
	enum rf_memory_operation memory_operation;
	enum rf_access_operation access_operation;
	enum rf_isolation_operation isolation_operation;
	enum rf_compat_hook compat_hook;
	enum rf_module_operation module_operation;
	enum rf_module_name module_name;
	enum rf_io_operation io_operation;
	enum rf_system_operation system_operation;
	enum rf_socket_operation socket_operation;
	enum rf_packet_content packet_content;
	enum rf_tampering_operation tampering_operation;
	enum rf_own_object own_object;
	enum rf_attempt_operation attempt_operation;
	enum rf_attempt_call attempt_call;
	enum rf_redirect_call redirect_call;
	enum rf_probe_place probe_place;
	enum rf_probe_type probe_type;
	struct rf_probe_argument probe_argument;
	enum rf_form form;
	enum rf_scope scope;
	struct rf_interest interest;
	struct rf_interest_ports interest_ports;
} *rf_types;

char LICENSE[] SEC("license") = "Dual BSD/GPL";
