/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Machine-wide settings: another kernel, ports, swap, quotas, log, names. */

SYSTEM_CALL(kexec_load, RF_SYSTEM_KEXEC_LOAD)
{
	call->first = FIRST;   /* entry point */
	call->second = SECOND; /* segments */
	call->third = FOURTH;  /* flags */
	return 1;
}

SYSTEM_CALL(kexec_file_load, RF_SYSTEM_KEXEC_FILE_LOAD)
{
	call->file = file__of_descriptor(task, FIRST);
	call->detail = THIRD ? (const char *)FOURTH : 0;
	call->third = FIFTH; /* flags */
	return 1;
}

SYSTEM_CALL(iopl, RF_SYSTEM_IOPL)
{
	call->first = FIRST; /* level */
	return 1;
}

SYSTEM_CALL(ioperm, RF_SYSTEM_IOPERM)
{
	call->first = FIRST;   /* first port */
	call->second = SECOND; /* number of ports */
	call->third = THIRD;   /* 1: allow */
	return 1;
}

/* The type is in a command's lowest byte. */
#define QUOTA_COMMAND(command) ((__u32)(command) >> 8)
#define Q_QUOTAOFF 0x800003
#define Q_XQUOTAOFF (('X' << 8) + 2)

static __always_inline bool system__turns_quota_off(__u32 command)
{
	return QUOTA_COMMAND(command) == Q_QUOTAOFF || QUOTA_COMMAND(command) == Q_XQUOTAOFF;
}

SYSTEM_CALL(quotactl, RF_SYSTEM_QUOTACTL)
{
	call->first = (__u32)FIRST;
	call->text = (const char *)SECOND; /* device */
	return system__turns_quota_off(FIRST);
}

SYSTEM_CALL(quotactl_fd, RF_SYSTEM_QUOTACTL)
{
	call->first = (__u32)SECOND;
	call->file = file__of_descriptor(task, FIRST);
	return system__turns_quota_off(SECOND);
}

SYSTEM_CALL(swapoff, RF_SYSTEM_SWAPOFF)
{
	call->text = (const char *)FIRST;
	return 1;
}

SYSTEM_CALL(swapon, RF_SYSTEM_SWAPON)
{
	call->text = (const char *)FIRST;
	call->second = SECOND; /* flags */
	return 1;
}

#define SYSLOG_ACTION_READ 2
#define SYSLOG_ACTION_CONSOLE_LEVEL 8

/* Skips open and close, which do nothing, and queries of sizes. */
SYSTEM_CALL(syslog, RF_SYSTEM_SYSLOG)
{
	__u32 action = FIRST;

	call->first = action;
	call->third = THIRD; /* length, or level */
	return action >= SYSLOG_ACTION_READ && action <= SYSLOG_ACTION_CONSOLE_LEVEL;
}

SYSTEM_CALL(reboot, RF_SYSTEM_REBOOT)
{
	call->first = (__u32)FIRST; /* magic */
	call->second = (__u32)SECOND;
	call->third = (__u32)THIRD; /* command */
	return 1;
}

SYSTEM_CALL(sethostname, RF_SYSTEM_SETHOSTNAME)
{
	struct uts_namespace *uts = BPF_CORE_READ(task, nsproxy, uts_ns);

	if (ret == 0) {
		call->kernel = (const char *)uts + bpf_core_field_offset(struct uts_namespace, name.nodename);
		return 1;
	}
	call->text = (const char *)FIRST;
	call->size = SECOND;
	return 1;
}

SYSTEM_CALL(setdomainname, RF_SYSTEM_SETDOMAINNAME)
{
	struct uts_namespace *uts = BPF_CORE_READ(task, nsproxy, uts_ns);

	if (ret == 0) {
		call->kernel = (const char *)uts + bpf_core_field_offset(struct uts_namespace, name.domainname);
		return 1;
	}
	call->text = (const char *)FIRST;
	call->size = SECOND;
	return 1;
}

/* Without a path it turns accounting off. */
SYSTEM_CALL(acct, RF_SYSTEM_ACCT)
{
	call->text = (const char *)FIRST;
	return 1;
}
