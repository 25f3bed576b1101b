/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Kernel facilities that exploits and spyware use: performance events, io_uring, userfaultfd, keys. */

/* An opened event has the kernel's copy of its attributes; a failed call only the caller's. */
SYSTEM_CALL(perf_event_open, RF_SYSTEM_PERF_EVENT_OPEN)
{
	struct file *file = ret < 0 ? 0 : file__of_descriptor(task, ret);
	struct perf_event *event = file ? kernel__read(file, private_data) : 0;
	struct { __u32 type, size; __u64 config; } request = {};

	call->third = SECOND; /* pid */
	if (event) {
		call->first = kernel__read(event, attr.type);
		call->second = kernel__read(event, attr.config);
		return 1;
	}
	system__read_user(&request, sizeof(request), FIRST);
	call->first = request.type;
	call->second = request.config;
	call->source_caller = 1;
	return 1;
}

SYSTEM_CALL(io_uring_setup, RF_SYSTEM_IO_URING_SETUP)
{
	struct file *file = ret < 0 ? 0 : file__of_descriptor(task, ret);
	struct io_ring_ctx *ring = file ? kernel__read(file, private_data) : 0;
	struct { __u32 sq_entries, cq_entries, flags; } request = {};

	call->first = FIRST; /* entries */
	if (ring) {
		call->second = kernel__read(ring, flags);
		return 1;
	}
	system__read_user(&request, sizeof(request), SECOND);
	call->second = request.flags;
	call->source_caller = 1;
	return 1;
}

SYSTEM_CALL(userfaultfd, RF_SYSTEM_USERFAULTFD)
{
	call->first = (__u32)FIRST; /* flags */
	return 1;
}

#define KEYCTL_GET_KEYRING_ID 0
#define KEYCTL_JOIN_SESSION_KEYRING 1
#define KEYCTL_DESCRIBE 6
#define KEYCTL_GET_SECURITY 17
#define KEYCTL_PKEY_QUERY 24
#define KEYCTL_CAPABILITIES 31

/* Operations that only query are skipped: every login makes them. */
SYSTEM_CALL(keyctl, RF_SYSTEM_KEYCTL)
{
	__u32 operation = FIRST;

	call->first = operation;
	call->second = (__u32)SECOND; /* for most operations the key */
	call->third = THIRD;
	if (operation == KEYCTL_JOIN_SESSION_KEYRING) {
		call->text = (const char *)SECOND;
		call->second = 0;
	}
	return operation != KEYCTL_GET_KEYRING_ID && operation != KEYCTL_DESCRIBE && operation != KEYCTL_GET_SECURITY &&
	       operation != KEYCTL_PKEY_QUERY && operation != KEYCTL_CAPABILITIES;
}

SYSTEM_CALL(add_key, RF_SYSTEM_ADD_KEY)
{
	call->detail = (const char *)FIRST; /* type */
	call->text = (const char *)SECOND;  /* description */
	call->first = FOURTH;               /* bytes of the payload */
	call->second = (__u32)FIFTH;        /* keyring */
	return 1;
}

SYSTEM_CALL(request_key, RF_SYSTEM_REQUEST_KEY)
{
	call->detail = (const char *)FIRST;
	call->text = (const char *)SECOND;
	call->second = (__u32)FOURTH; /* keyring */
	return 1;
}
