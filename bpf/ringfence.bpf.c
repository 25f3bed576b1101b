/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The sensor, baseline profile: kernels from 6.1 with BTF, with neither kprobes nor trampolines. */
#include "lib/kernel.h"

#include "fork.bpf.h"
#include "exec.bpf.h"
#include "exit.bpf.h"
#include "credentials.bpf.h"
#include "open.bpf.h"
#include "connect.bpf.h"
#include "snapshot.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
