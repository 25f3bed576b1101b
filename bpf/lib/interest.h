/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Which events are wanted: by kind, and for the frequent kinds
 * by form, scope and ports. Paths are filtered in watch.h. */
#ifndef RF_LIB_INTEREST_H
#define RF_LIB_INTEREST_H

#include "ring.h"

#define INTEREST_HOST 0x5555555555555555ULL
#define INTEREST_CONTAINER (~INTEREST_HOST)
/* Both bits of a form. */
#define INTEREST(form) (3ULL << 2 * RF_FORM_##form)

static __always_inline __u32 interest__generation(void)
{
	return RF_READ_ONCE(rf_control.generation);
}

/* Returns 0 when every event is wanted. */
static __always_inline const struct rf_interest *interest__of(__u32 generation)
{
	return generation ? &rf_interests[generation & 1] : 0;
}

static __always_inline const struct rf_interest *interest__now(void)
{
	return interest__of(interest__generation());
}

/* Returns the bits of forms that processes of a cgroup can have. */
static __always_inline __u64 interest__scope(__u64 cgroup)
{
	__u32 *scope = bpf_map_lookup_elem(&rf_scopes, &cgroup);

	if (!scope)
		return ~0ULL;
	return *scope == RF_SCOPE_HOST ? INTEREST_HOST : INTEREST_CONTAINER;
}

/* Whether any process's events of a kind are wanted. Counts nothing. */
static __always_inline bool interest__any(enum rf_kind kind)
{
	const struct rf_interest *interest = interest__now();

	return !interest || (interest->kinds[0] | interest->kinds[1]) >> kind & 1;
}

/* Whether events of a kind are wanted from the current process. */
static __always_inline bool interest__of_current(enum rf_kind kind)
{
	const struct rf_interest *interest = interest__now();
	__u64 host, container;

	if (!interest)
		return true;
	host = interest->kinds[0] >> kind & 1;
	container = interest->kinds[1] >> kind & 1;
	if (host == container)
		return host;
	return interest__scope(bpf_get_current_cgroup_id()) & (host | container << 1);
}

/* The same for an event that is not yet counted as seen. Counts it as skipped when it is not wanted. */
static __always_inline bool interest__admits(enum rf_lane lane, enum rf_kind kind)
{
	if (interest__of_current(kind))
		return true;
	ring__count_skipped(lane, kind, RF_DROP_UNWATCHED);
	return false;
}

/* Whether any process's events of these forms are wanted. Counts nothing. */
static __always_inline bool interest__any_form(__u64 forms)
{
	const struct rf_interest *interest = interest__now();

	return !interest || (interest->some & forms);
}

/* The same for the processes of one cgroup. */
static __always_inline bool interest__of_forms(__u64 forms, __u64 cgroup)
{
	const struct rf_interest *interest = interest__now();

	return !interest || !(forms & ~interest->all) || ((forms & interest->some) && (forms & interest->some & interest__scope(cgroup)));
}

static __always_inline __u8 interest__class(const struct rf_interest_ports *ports, __u64 port)
{
	/* 6.1 loses the bounds of a byte-swapped port */
	rf_barrier(port);
	return ports->classes[port & 0xffff];
}

/* Returns which of the forms are wanted for these ports. For the current
 * process ask this before kernel__cgroup, which is the slowest lookup. */
static __always_inline __u64 interest__forms_of_ports(__u64 forms, __u16 peer, __u16 local, bool bound)
{
	/* read once: the two generations differ */
	__u32 generation = interest__generation();
	const struct rf_interest *interest = interest__of(generation);
	const struct rf_interest_ports *ports = &rf_interest_ports[generation & 1];

	if (!interest || !(forms & ~interest->all))
		return forms;
	if (!(forms & interest->some))
		return 0;
	return forms & (interest->all | ports->peer[interest__class(ports, peer)] |
			(bound ? ports->local[interest__class(ports, local)] : interest->own));
}

/* Whether one of these forms is wanted from a cgroup's processes.
 * Looks the cgroup's scope up only when the two scopes differ. */
static __always_inline bool interest__of_scope(__u64 forms, __u64 cgroup)
{
	return forms && (forms & forms >> 1 & INTEREST_HOST || forms & interest__scope(cgroup));
}

/* `forms`: all that the event may have; unknown facts admit several. Ports in host order. */
static __always_inline __u64 interest__forms_of_ends(__u64 forms, __u16 peer, __u16 local)
{
	return interest__forms_of_ports(forms, peer, local, true);
}

/* The same while the local port is unknown or irrelevant. */
static __always_inline __u64 interest__forms_of_peer(__u64 forms, __u16 peer)
{
	return interest__forms_of_ports(forms, peer, 0, false);
}

static __always_inline bool interest__of_ends(__u64 forms, __u64 cgroup, __u16 peer, __u16 local)
{
	return interest__of_scope(interest__forms_of_ends(forms, peer, local), cgroup);
}

static __always_inline bool interest__admits_forms(enum rf_lane lane, enum rf_kind kind, __u64 forms, __u64 cgroup)
{
	if (interest__of_forms(forms, cgroup))
		return true;
	ring__count_skipped(lane, kind, RF_DROP_UNWATCHED);
	return false;
}

static __always_inline bool interest__admits_ends(enum rf_lane lane, enum rf_kind kind, __u64 forms, __u64 cgroup, __u16 peer, __u16 local)
{
	if (interest__of_ends(forms, cgroup, peer, local))
		return true;
	ring__count_skipped(lane, kind, RF_DROP_UNWATCHED);
	return false;
}

#endif
