/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Setting and adjusting the clock. The new time is in the caller's memory. */

struct system_time {
	__s64 seconds;
	__s64 fraction; /* µs or ns */
};

SYSTEM_CALL(settimeofday, RF_SYSTEM_SETTIMEOFDAY)
{
	struct system_time time = {};

	if (FIRST) /* otherwise only the time zone is set */
		system__read_user(&time, sizeof(time), FIRST);
	call->first = time.seconds;
	call->second = time.fraction;
	call->source_caller = 1;
	return 1;
}

SYSTEM_CALL(clock_settime, RF_SYSTEM_CLOCK_SETTIME)
{
	struct system_time time = {};

	system__read_user(&time, sizeof(time), SECOND);
	call->first = (__u32)FIRST; /* clock */
	call->second = time.seconds;
	call->third = time.fraction;
	call->source_caller = 1;
	return 1;
}

/* Without modes the call only queries. */
static __always_inline int system__adjust(struct system_call *call, __u64 timex)
{
	struct { __u32 modes, pad; __s64 offset; } request = {};

	system__read_user(&request, sizeof(request), timex);
	call->second = request.modes;
	call->third = request.offset;
	call->source_caller = 1;
	return request.modes != 0;
}

SYSTEM_CALL(adjtimex, RF_SYSTEM_ADJTIMEX)
{
	return system__adjust(call, FIRST);
}

SYSTEM_CALL(clock_adjtime, RF_SYSTEM_CLOCK_ADJTIME)
{
	call->first = (__u32)FIRST; /* clock */
	return system__adjust(call, SECOND);
}
