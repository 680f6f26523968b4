/* SPDX-License-Identifier: MIT */
/*
 * Debug keys ("xl debug-keys", or the console after three Ctrl-A): each shows
 * something about the hypervisor or the domains in our messages.
 */
#include "control/sysctl.h"

#include "console/console.h"
#include "console/printk.h"
#include "cpu/acpi.h"
#include "event/event.h"
#include "grant/grant.h"
#include "mem/alloc.h"
#include "trace/perf.h"

static void show_help(void);

static const char *state_name(enum sched_state s)
{
	static const char *const names[] = {
		[SCHED_OFFLINE] = "offline",
		[SCHED_BLOCKED] = "blocked",
		[SCHED_RUNNABLE] = "runnable",
		[SCHED_RUNNING] = "running",
	};

	return names[s];
}

static void show_vcpu(struct vcpu *v)
{
	const struct vcpu_info *i = v->info;

	printk("  vcpu %u: %s on CPU %u, paused %u, run %ld ms, upcall "
	       "pending %u mask %u\n",
	       v->id, state_name(v->unit.state), v->unit.cpu,
	       v->unit.pause_count, sched_runtime(&v->unit) / 1000000,
	       i ? i->evtchn_upcall_pending : 0, i ? i->evtchn_upcall_mask : 0);
}

static void show_domain(struct domain *d)
{
	struct vcpu *v;

	printk("d%u: %s, refs %u, dying %u, pages %lu of %lu, paused by tools "
	       "%u%s\n",
	       d->id, d->kind->name, d->refs, d->dying, d->tot_pages,
	       d->max_pages, d->control_pauses,
	       d->shut_down ? ", shut down" : "");
	for_each_vcpu(d, v)
		show_vcpu(v);
}

static void show_domains(void)
{
	struct domain *d;

	for (unsigned int id = 0; (d = next_domain(id)) != NULL;) {
		id = d->id + 1U;
		show_domain(d);
		put_domain(d);
	}
}

static void show_memory(void)
{
	printk("memory: %lu pages, %lu free, %lu ours, %lu claimed\n",
	       total_page_count(), free_page_count(), own_page_count(),
	       claimed_page_count());
}

static void show_counters(void)
{
	for (struct perf_source *s = perf_sources; s; s = s->next)
		for (unsigned int i = 0; i < s->nr; i++) {
			uint64_t n = s->value(i);
			char name[80];

			if (!n)
				continue;
			s->name(i, name, sizeof(name));
			printk("%12lu %s\n", n, name);
		}
}

static void reset_counters(void)
{
	for (struct perf_source *s = perf_sources; s; s = s->next)
		s->reset();
}

static void show_cpus(void)
{
	for (unsigned int cpu = 0; cpu < nr_cpus; cpu++)
		printk("CPU %u: APIC ID %u, idle %ld of %ld ms\n", cpu,
		       cpu_apic_id(cpu), sched_idle_time(cpu) / 1000000,
		       now() / 1000000);
}

static void check_frames(void)
{
	struct domain *d;

	for (unsigned int id = 0; (d = next_domain(id)) != NULL;) {
		id = d->id + 1U;
		if (d->kind->check && d->dying != DOMDYING_DEAD)
			printk("d%u: %u frames with wrong counts\n", d->id,
			       d->kind->check(d));
		put_domain(d);
	}
}

static void reboot(void)
{
	printk("reboot asked for by debug key\n");
	machine_reboot();
}

static const struct {
	char key;
	void (*fn)(void);
	const char *help;
} keys[] = {
	{'R', reboot, "reboot the machine"},
	{'e', event_dump, "event channels"},
	{'g', grant_dump, "grants in use"},
	{'h', show_help, "this list"},
	{'k', check_frames, "check what frames are used for"},
	{'m', show_memory, "memory"},
	{'p', show_counters, "counters"},
	{'P', reset_counters, "counters to zero"},
	{'q', show_domains, "domains and their vCPUs"},
	{'r', show_cpus, "CPUs and how long they were idle"},
};

static void show_help(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++)
		printk(" key '%c': %s\n", keys[i].key, keys[i].help);
}

void debug_key(char key)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(keys); i++) {
		if (keys[i].key != key)
			continue;
		printk("'%c' pressed -> %s\n", key, keys[i].help);
		keys[i].fn();
		return;
	}
}

/* A key from the console comes in an interrupt: it is looked at later. */
static char pressed;

static void run_pressed(void *data)
{
	(void)data;
	debug_key(READ_ONCE(pressed));
}

static struct tasklet key_work = {.fn = run_pressed};

static void key_pressed(char c)
{
	WRITE_ONCE(pressed, c);
	tasklet_schedule(&key_work, 0);
}

void keys_init(void)
{
	console_key = key_pressed;
}
