/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "store.h"

#define MILLISECOND 1000000u
#define NAME_MAX_   16

const char options_help[] =
	"usage: impair --listen ADDRESS:PORT --to ADDRESS:PORT [options]\n"
	"\n"
	"A UDP relay that treats datagrams as a bad line would. What happens to the n-th datagram\n"
	"of a direction follows from the seed; only where a queue overflows does time decide.\n"
	"\n"
	"  --listen A:P       where clients send to; an IPv6 address stands in brackets\n"
	"  --to A:P           where their datagrams go; each client gets a socket of its own, "
	"whose\n"
	"                     port is what the other side sees\n"
	"  --source A:P       the address of that socket; with a port other than 0 there can be "
	"one\n"
	"                     client only\n"
	"  --client A:P       a client that is known before it has sent something\n"
	"  --flows N          how many clients there may be (1024)\n"
	"  --memory SIZE      for datagrams under way (256MiB)\n"
	"  --seed N           of all decisions (1)\n"
	"  --realtime         runs before all ordinary processes, as a line would (SCHED_FIFO)\n"
	"  --up, --down       the options below that follow are for datagrams from clients, or to\n"
	"  --both             them; at first they are for both\n"
	"\n"
	"A datagram meets these in this order:\n"
	"  --loss SHARE       lost at random\n"
	"  --burst p=SHARE,r=SHARE[,k=SHARE][,h=SHARE]\n"
	"                     lost in bursts (Gilbert-Elliott): a good line becomes bad with p, a "
	"bad\n"
	"                     one good with r, after each datagram; one passes a good line with k\n"
	"                     (100%), a bad one with h (0%)\n"
	"  --corrupt SHARE[,bits=N]\n"
	"                     N of its bits (1) are turned over, up to 64\n"
	"  --duplicate SHARE  comes twice\n"
	"  --rate RATE        of the link, in bits of IP packets; exact, without bursts\n"
	"  --queue TIME|SIZE  before the link (50ms): who would wait longer, or behind more, is "
	"lost\n"
	"  --delay TIME       of every datagram\n"
	"  --jitter TIME[,free]\n"
	"                     more delay, evenly from 0 to TIME; the order of a client's datagrams "
	"is\n"
	"                     kept, so that one cannot overtake a later one, unless it is free\n"
	"  --reorder SHARE[,by=TIME]\n"
	"                     held back for TIME (10ms) while later ones pass by\n"
	"\n"
	"SHARE: 5%, 0.1%. TIME: 30ms, 250us, 1s. RATE: 100mbit, 1gbit, 64kbit. SIZE: 64kB, 1MiB.\n"
	"\n"
	"SIGUSR1 prints the statistics so far as a line of JSON, SIGTERM and SIGINT the last ones\n"
	"before the end. For each direction: in + duplicated = delivered + lost (by reason) + "
	"pending;\n"
	"delay_us is what was added between the arrival and the departure, late_us the part of it\n"
	"that nobody has asked for; missed counts what the kernel dropped because this program "
	"was\n"
	"too slow to read it.\n";

/* What is read so far; sizes of queues wait for the rate. */
struct reading {
	struct options *o;
	bool seen_listen, seen_to;
	bool up, down; /* whom an option is for */
	bool queue_given[WAYS], queue_in_bytes[WAYS];
	uint64_t queue_bytes[WAYS];
	char *error;
};

static bool fail(struct reading *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool fail(struct reading *r, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(r->error, OPTIONS_ERROR, format, args);
	va_end(args);
	return false;
}

static bool want(struct reading *r, bool good, const char *name, const char *text, const char *what)
{
	return good || fail(r, "--%s: '%s' is not %s", name, text, what);
}

static bool want_share(struct reading *r, const char *name, const char *text, double *ret)
{
	return want(r, quantity_share(text, ret), name, text,
		    "a share from 0% to 100%, as in 2.5%");
}

static bool want_time(struct reading *r, const char *name, const char *text, uint64_t *ret)
{
	return want(r, quantity_time(text, ret), name, text, "a time, as in 30ms");
}

/* ---- values of several parts: FIRST[,KEY=VALUE]... ---- */

struct part {
	const char *key;
	bool (*read)(struct reading *r, const char *name, const char *text, void *ret);
	void *ret;
	bool required, seen;
};

static bool read_share(struct reading *r, const char *name, const char *text, void *ret)
{
	return want_share(r, name, text, ret);
}

static bool read_time(struct reading *r, const char *name, const char *text, void *ret)
{
	return want_time(r, name, text, ret);
}

static bool read_bits(struct reading *r, const char *name, const char *text, void *ret)
{
	uint64_t n = 0;
	if (!want(r, quantity_number(text, 1, 64, &n), name, text, "a number from 1 to 64"))
		return false;
	*(uint32_t *)ret = (uint32_t)n;
	return true;
}

/* `free` stands without a value. */
static bool read_flag(struct reading *r, const char *name, const char *text, void *ret)
{
	*(bool *)ret = true;
	return want(r, *text == '\0', name, text, "wanted here: the word stands alone");
}

/* The part called as the text up to '='; *text moves behind it. A part without a key comes first. */
static struct part *find_part(struct part *parts, size_t n, size_t index, char **text)
{
	size_t len = strcspn(*text, "=");
	if (index == 0 && parts[0].key == NULL)
		return &parts[0];
	for (size_t i = 0; i < n; i++) {
		if (parts[i].key == NULL || strlen(parts[i].key) != len ||
		    strncmp(parts[i].key, *text, len) != 0)
			continue;
		*text += len + ((*text)[len] == '=');
		return &parts[i];
	}
	return NULL;
}

static bool read_parts(struct reading *r, const char *name, const char *value, struct part *parts,
		       size_t n)
{
	char copy[128], *rest = copy, *text;
	if (strlen(value) >= sizeof(copy))
		return fail(r, "--%s: the value is too long", name);
	strcpy(copy, value);
	for (size_t index = 0; (text = strsep(&rest, ",")) != NULL; index++) {
		const char *whole = text;
		struct part *p = find_part(parts, n, index, &text);
		if (p == NULL)
			return fail(r, "--%s: there is no part '%s'", name, whole);
		if (p->seen)
			return fail(r, "--%s: '%s' is there twice", name, p->key);
		p->seen = true;
		if (!p->read(r, name, text, p->ret))
			return false;
	}
	for (size_t i = 0; i < n; i++)
		if (parts[i].required && !parts[i].seen)
			return fail(r, "--%s: %s= is missing", name, parts[i].key);
	return true;
}

#define N_PARTS(parts) (sizeof(parts) / sizeof((parts)[0]))

/* ---- options for a direction ---- */

static bool way_loss(struct reading *r, enum way w, const char *name, const char *value)
{
	return want_share(r, name, value, &r->o->fate[w].loss);
}

static bool way_burst(struct reading *r, enum way w, const char *name, const char *value)
{
	struct fate_model *m = &r->o->fate[w];
	struct part parts[] = {{"p", read_share, &m->p, true, false},
			       {"r", read_share, &m->r, true, false},
			       {"k", read_share, &m->k, false, false},
			       {"h", read_share, &m->h, false, false}};
	return read_parts(r, name, value, parts, N_PARTS(parts));
}

static bool way_corrupt(struct reading *r, enum way w, const char *name, const char *value)
{
	struct fate_model *m = &r->o->fate[w];
	struct part parts[] = {{NULL, read_share, &m->corrupt, true, false},
			       {"bits", read_bits, &m->corrupt_bits, false, false}};
	return read_parts(r, name, value, parts, N_PARTS(parts));
}

static bool way_duplicate(struct reading *r, enum way w, const char *name, const char *value)
{
	return want_share(r, name, value, &r->o->fate[w].duplicate);
}

static bool way_rate(struct reading *r, enum way w, const char *name, const char *value)
{
	return want(r, quantity_rate(value, &r->o->line[w].rate), name, value,
		    "a rate, as in 100mbit");
}

static bool way_queue(struct reading *r, enum way w, const char *name, const char *value)
{
	r->queue_given[w] = true;
	r->queue_in_bytes[w] = quantity_bytes(value, &r->queue_bytes[w]);
	return r->queue_in_bytes[w] || want(r, quantity_time(value, &r->o->line[w].queue_ns), name,
					    value, "a time or a size, as in 50ms or 64kB");
}

static bool way_delay(struct reading *r, enum way w, const char *name, const char *value)
{
	return want_time(r, name, value, &r->o->line[w].delay_ns);
}

static bool way_jitter(struct reading *r, enum way w, const char *name, const char *value)
{
	struct part parts[] = {{NULL, read_time, &r->o->fate[w].jitter_ns, true, false},
			       {"free", read_flag, &r->o->line[w].free, false, false}};
	return read_parts(r, name, value, parts, N_PARTS(parts));
}

static bool way_reorder(struct reading *r, enum way w, const char *name, const char *value)
{
	struct fate_model *m = &r->o->fate[w];
	struct part parts[] = {{NULL, read_share, &m->reorder, true, false},
			       {"by", read_time, &m->hold_ns, false, false}};
	return read_parts(r, name, value, parts, N_PARTS(parts));
}

static const struct way_option {
	const char *name;
	bool (*read)(struct reading *r, enum way w, const char *name, const char *value);
} way_options[] = {
	{"loss", way_loss},   {"burst", way_burst},   {"corrupt", way_corrupt},
	{"rate", way_rate},   {"queue", way_queue},   {"duplicate", way_duplicate},
	{"delay", way_delay}, {"jitter", way_jitter}, {"reorder", way_reorder},
};

static const struct way_option *find_way_option(const char *name)
{
	for (size_t i = 0; i < N_PARTS(way_options); i++)
		if (strcmp(way_options[i].name, name) == 0)
			return &way_options[i];
	return NULL;
}

/* ---- options of the whole ---- */

static bool read_endpoint(struct reading *r, const char *name, const char *value, bool with_port,
			  union endpoint *ret)
{
	if (!quantity_endpoint(value, ret))
		return fail(r, "--%s: '%s' is not ADDRESS:PORT", name, value);
	if (with_port && ret->v4.sin_port == 0)
		return fail(r, "--%s: the port is missing in '%s'", name, value);
	return true;
}

static bool is_wildcard(const union endpoint *e)
{
	return e->any.sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&e->v6.sin6_addr)
					    : e->v4.sin_addr.s_addr == htonl(INADDR_ANY);
}

static bool read_listen(struct reading *r, const char *name, const char *value)
{
	r->seen_listen = true;
	if (!read_endpoint(r, name, value, true, &r->o->listen))
		return false;
	return !is_wildcard(&r->o->listen) ||
	       fail(r, "--listen: an address is needed: answers have to come from it");
}

static bool read_to(struct reading *r, const char *name, const char *value)
{
	r->seen_to = true;
	return read_endpoint(r, name, value, true, &r->o->to);
}

static bool read_source(struct reading *r, const char *name, const char *value)
{
	return read_endpoint(r, name, value, false, &r->o->source);
}

static bool read_client(struct reading *r, const char *name, const char *value)
{
	return read_endpoint(r, name, value, true, &r->o->client);
}

static bool read_seed(struct reading *r, const char *name, const char *value)
{
	return want(r, quantity_number(value, 0, UINT64_MAX, &r->o->seed), name, value, "a number");
}

static bool read_flows(struct reading *r, const char *name, const char *value)
{
	uint64_t n = 0;
	if (!want(r, quantity_number(value, 1, 60000, &n), name, value, "a number from 1 to 60000"))
		return false;
	r->o->max_flows = (uint32_t)n;
	return true;
}

static bool read_memory(struct reading *r, const char *name, const char *value)
{
	return want(r,
		    quantity_bytes(value, &r->o->memory) && r->o->memory >= 1u << 20 &&
			    r->o->memory <= (uint64_t)STORE_BLOCK << 24,
		    name, value, "a size from 1MiB to 32GiB");
}

static const struct option {
	const char *name;
	bool (*read)(struct reading *r, const char *name, const char *value);
} options[] = {
	{"listen", read_listen}, {"to", read_to},     {"source", read_source},
	{"client", read_client}, {"seed", read_seed}, {"flows", read_flows},
	{"memory", read_memory},
};

static const struct option *find_option(const char *name)
{
	for (size_t i = 0; i < N_PARTS(options); i++)
		if (strcmp(options[i].name, name) == 0)
			return &options[i];
	return NULL;
}

/* ---- together ---- */

/* What stands alone, without a value. False: no such word. */
static bool read_word(struct reading *r, const char *name)
{
	if (strcmp(name, "realtime") == 0) {
		r->o->realtime = true;
		return true;
	}
	bool up = strcmp(name, "up") == 0, down = strcmp(name, "down") == 0;
	if (!up && !down && strcmp(name, "both") != 0)
		return false;
	r->up = !down;
	r->down = !up;
	return true;
}

static bool read_one(struct reading *r, const char *name, const char *value)
{
	const struct option *o = find_option(name);
	const struct way_option *w = find_way_option(name);
	if (o != NULL)
		return o->read(r, name, value);
	return (!r->up || w->read(r, WAY_UP, name, value)) &&
	       (!r->down || w->read(r, WAY_DOWN, name, value));
}

/* *i is the argument's index and moves over a value that follows. */
static bool read_argument(struct reading *r, int argc, char **argv, int *i)
{
	char name[NAME_MAX_];
	const char *text = argv[*i];
	size_t len = strcspn(text, "=");
	if (strncmp(text, "--", 2) != 0)
		return fail(r, "'%s' is not an option", text);
	if (len - 2 >= sizeof(name))
		return fail(r, "there is no option '%s'", text);
	memcpy(name, text + 2, len - 2);
	name[len - 2] = '\0';
	if (text[len] == '\0' && read_word(r, name))
		return true;
	if (find_option(name) == NULL && find_way_option(name) == NULL)
		return fail(r, "there is no option '%s'", text);
	if (text[len] == '=')
		return read_one(r, name, text + len + 1);
	if (*i + 1 >= argc)
		return fail(r, "--%s: the value is missing", name);
	return read_one(r, name, argv[++*i]);
}

static bool settle_queue(struct reading *r, enum way w)
{
	struct line_model *m = &r->o->line[w];
	if (m->rate == 0)
		return !r->queue_given[w] || fail(r, "--queue: there is no --rate that it is for");
	if (r->queue_in_bytes[w])
		m->queue_ns = (uint64_t)((double)r->queue_bytes[w] * 8e9 / (double)m->rate);
	return true;
}

static bool settle(struct reading *r)
{
	if (!r->seen_listen || !r->seen_to)
		return fail(r, "--%s is missing", r->seen_listen ? "to" : "listen");
	if (r->o->source.any.sa_family != 0 && r->o->source.any.sa_family != r->o->to.any.sa_family)
		return fail(r, "--source: not of the family of --to");
	if (r->o->client.any.sa_family != 0 &&
	    r->o->client.any.sa_family != r->o->listen.any.sa_family)
		return fail(r, "--client: not of the family of --listen");
	if (r->o->source.v4.sin_port != 0)
		r->o->max_flows = 1;
	return settle_queue(r, WAY_UP) && settle_queue(r, WAY_DOWN);
}

enum options_end options_read(struct options *ret, int argc, char **argv,
			      char reterr[OPTIONS_ERROR])
{
	struct reading r = {.o = ret, .up = true, .down = true, .error = reterr};
	memset(ret, 0, sizeof(*ret));
	ret->seed = 1;
	ret->max_flows = 1024;
	ret->memory = 256u << 20;
	for (int w = 0; w < WAYS; w++) {
		fate_model_init(&ret->fate[w]);
		ret->fate[w].hold_ns = 10 * MILLISECOND;
		ret->line[w].queue_ns = 50 * MILLISECOND;
	}
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--help") == 0)
			return OPTIONS_HELP;
		if (!read_argument(&r, argc, argv, &i))
			return OPTIONS_BAD;
	}
	return settle(&r) ? OPTIONS_OK : OPTIONS_BAD;
}
