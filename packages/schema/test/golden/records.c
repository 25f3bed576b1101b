/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Fills each struct of bpf/ringfence.h with known bytes and says what the C compiler reads out of them, one fact a line:
 *
 *   struct NAME SIZE BYTES(hex)
 *   number NAME.FIELD OFFSET SIZE VALUE(hex, all 64 bits, sign-extended)
 *   part   NAME.FIELD OFFSET SIZE
 */
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include "../../../../bpf/ringfence.h"

static unsigned int seed;

static void fill(void *at, size_t size)
{
	unsigned char *bytes = at;

	for (size_t i = 0; i < size; i++)
		bytes[i] = (unsigned char)(++seed * 167 + 13);
}

static void show(const char *name, const void *at, size_t size)
{
	const unsigned char *bytes = at;

	printf("struct %s %zu ", name, size);
	for (size_t i = 0; i < size; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

#define BEGIN(type) { struct type r; const char *name = #type; fill(&r, sizeof(r)); show(name, &r, sizeof(r));
#define NUMBER(field) printf("number %s.%s %zu %zu %llx\n", name, #field, (size_t)((char *)&r.field - (char *)&r), sizeof(r.field), (unsigned long long)(long long)r.field);
#define PART(field) printf("part %s.%s %zu %zu\n", name, #field, (size_t)((char *)&r.field - (char *)&r), sizeof(r.field));
#define END }

int main(void)
{
	BEGIN(rf_text)
		NUMBER(offset)
		NUMBER(kept)
		NUMBER(length)
	END
	BEGIN(rf_header)
		NUMBER(ktime)
		NUMBER(sequence)
		NUMBER(start)
		NUMBER(tgid)
		NUMBER(tid)
		NUMBER(cgroup)
		NUMBER(exec_id)
		NUMBER(size)
		NUMBER(kind)
		NUMBER(cpu)
	END
	BEGIN(rf_credentials)
		NUMBER(uid)
		NUMBER(gid)
		NUMBER(euid)
		NUMBER(egid)
		NUMBER(suid)
		NUMBER(sgid)
		NUMBER(fsuid)
		NUMBER(fsgid)
		NUMBER(cap_effective)
		NUMBER(cap_permitted)
		NUMBER(cap_inheritable)
	END
	BEGIN(rf_namespaces)
		NUMBER(mnt)
		NUMBER(pid)
		NUMBER(net)
		NUMBER(user)
		NUMBER(uts)
		NUMBER(ipc)
		NUMBER(cgroup)
		NUMBER(pid_in_ns)
	END
	BEGIN(rf_fork)
		PART(h)
		NUMBER(parent_start)
		NUMBER(parent_tgid)
		PART(namespaces)
	END
	BEGIN(rf_exec)
		PART(h)
		NUMBER(parent_start)
		NUMBER(inode)
		NUMBER(ctime)
		NUMBER(mtime)
		PART(credentials)
		PART(namespaces)
		NUMBER(parent_tgid)
		NUMBER(device)
		NUMBER(flags)
		NUMBER(mode)
		NUMBER(owner)
		NUMBER(loginuid)
		NUMBER(session_id)
		NUMBER(tty)
		NUMBER(argc)
		NUMBER(snapshot)
		NUMBER(stdio_sockets)
		PART(path)
		PART(filename)
		PART(cwd)
		PART(argv)
	END
	BEGIN(rf_exit)
		PART(h)
		NUMBER(duration)
		NUMBER(code)
		NUMBER(signal)
		NUMBER(core)
	END
	BEGIN(rf_credentials_change)
		PART(h)
		PART(before)
		PART(after)
	END
	BEGIN(rf_open)
		PART(h)
		NUMBER(inode)
		NUMBER(device)
		NUMBER(flags)
		NUMBER(result)
		NUMBER(mode)
		PART(path)
		NUMBER(source_caller)
	END
	BEGIN(rf_connect)
		PART(h)
		NUMBER(family)
		NUMBER(type)
		NUMBER(protocol)
		NUMBER(port)
		PART(address)
		NUMBER(result)
		PART(path)
		NUMBER(source_caller)
		NUMBER(local_port)
		PART(local_address)
	END
	BEGIN(rf_accept)
		PART(h)
		NUMBER(family)
		NUMBER(type)
		NUMBER(protocol)
		NUMBER(port)
		PART(address)
		PART(local_address)
		NUMBER(local_port)
		NUMBER(result)
	END
	BEGIN(rf_control)
		NUMBER(agent_tgid)
		NUMBER(all_opens)
		PART(sleeping)
		PART(watched_heads)
		NUMBER(nothing_named)
		NUMBER(agent_start)
	END
	BEGIN(rf_watched_key)
		NUMBER(prefixlen)
		PART(path)
	END
	BEGIN(rf_name_key)
		PART(name)
	END
	BEGIN(rf_counters)
		NUMBER(sequence)
		PART(drops)
	END
	return 0;
}
