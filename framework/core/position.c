/* SPDX-License-Identifier: BSD-2-Clause */
/* position: where the values of a JSON text stand, which a JSON parser forgets. */
#include "position.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of all values together: what a hostile file can make us keep. */
#define POINTER_BYTES_MAX (16u << 20)

struct entry {
	char *pointer;
	char *key; /* NULL for items of arrays and for the document */
	struct place key_place;
	struct place value_place;
	size_t order; /* in the text */
};

/* Two entries with one pointer: that which stands again, and the first. */
struct repeat {
	size_t at, first;
};

struct positions {
	struct entry *entries; /* sorted by pointer, then by order */
	size_t n;
	struct repeat *repeated;
	size_t n_repeated;
};

struct scanner {
	const char *at, *end;
	const char *counted; /* line and column are those of this byte */
	int line, column;
	struct positions *out;
	int depth;
	size_t pointer_bytes;
	enum position_status status;
	struct place trouble;
};

/* Line and column of the next byte. UTF-8 continuation bytes do not count. */
static struct place place_of_next(struct scanner *s)
{
	for (; s->counted < s->at; s->counted++) {
		if (*s->counted == '\n') {
			s->line++;
			s->column = 1;
		} else if (((unsigned char)*s->counted & 0xc0) != 0x80) {
			s->column++;
		}
	}
	return (struct place){s->line, s->column};
}

static bool is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

static void skip_space(struct scanner *s)
{
	while (s->at < s->end && is_one_of(*s->at, " \t\r\n"))
		s->at++;
}

/* Skips spaces and then this byte, if it is there. */
static bool skip_byte(struct scanner *s, char c)
{
	skip_space(s);
	if (s->at >= s->end || *s->at != c)
		return false;
	s->at++;
	return true;
}

static bool give_up(struct scanner *s, enum position_status status)
{
	if (s->status == POSITION_OK) {
		s->status = status;
		s->trouble = place_of_next(s);
	}
	return false;
}

static bool make_room(struct positions *p)
{
	if ((p->n & (p->n - 1)) != 0)
		return true;
	size_t room = p->n == 0 ? 1 : p->n * 2;
	struct entry *entries = realloc(p->entries, room * sizeof(*entries));
	if (entries == NULL)
		return false;
	p->entries = entries;
	return true;
}

/* Adds the value that comes next; takes the pointer (which may be NULL: no memory) and the key. */
static bool add_entry(struct scanner *s, char *pointer, char *key, struct place key_place)
{
	struct positions *p = s->out;
	if (pointer == NULL || !make_room(p)) {
		free(pointer);
		free(key);
		give_up(s, POSITION_NO_MEMORY);
		return false;
	}
	skip_space(s);
	p->entries[p->n] = (struct entry){pointer, key, key_place, place_of_next(s), p->n};
	p->n++;
	s->pointer_bytes += strlen(pointer);
	return s->pointer_bytes <= POINTER_BYTES_MAX || give_up(s, POSITION_TOO_LARGE);
}

static size_t put_utf8(char *out, unsigned long c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = n - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (c & 0x3f));
		c >>= 6;
	}
	out[0] = (char)(lead[n] | c);
	return n;
}

/* Four hexadecimal digits; -1 when they are none. */
static long hex4(const char *at, const char *end)
{
	char digits[5] = "";
	if (end - at < 4 || strspn(memcpy(digits, at, 4), "0123456789abcdefABCDEF") != 4)
		return -1;
	return strtol(digits, NULL, 16);
}

/* Decodes \uXXXX at s->at (behind the u), with the second half of a surrogate pair. */
static size_t put_unicode(struct scanner *s, char *out)
{
	long c = hex4(s->at, s->end);
	if (c < 0)
		return 0;
	s->at += 4;
	if (c >= 0xd800 && c < 0xdc00 && s->end - s->at >= 6 && s->at[0] == '\\' &&
	    s->at[1] == 'u') {
		long low = hex4(s->at + 2, s->end);
		if (low >= 0xdc00 && low < 0xe000) {
			s->at += 6;
			c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
		}
	}
	return put_utf8(out, (unsigned long)c);
}

static size_t put_escape(struct scanner *s, char *out)
{
	static const char names[] = "\"\\/bfnrt";
	static const char values[] = "\"\\/\b\f\n\r\t";
	if (s->at >= s->end)
		return 0;
	char c = *s->at++;
	if (c == 'u')
		return put_unicode(s, out);
	const char *found = c != '\0' ? strchr(names, c) : NULL;
	if (found == NULL)
		return 0;
	*out = values[found - names];
	return 1;
}

/* Skips a string behind its first quote. `out` takes its text, or is NULL. The decoded text is never
 * longer than what stands in the file. */
static bool scan_string(struct scanner *s, char *out)
{
	char ignored[4];
	while (s->at < s->end) {
		char c = *s->at++;
		if (c == '"') {
			if (out != NULL)
				*out = '\0';
			return true;
		}
		if (c == '\\') {
			size_t n = put_escape(s, out != NULL ? out : ignored);
			if (n == 0)
				return false;
			out = out != NULL ? out + n : NULL;
		} else if (out != NULL) {
			*out++ = c;
		}
	}
	return false;
}

/* The text of a key, behind its first quote, in new memory. */
static char *scan_key(struct scanner *s)
{
	struct scanner ahead = *s;
	if (!scan_string(&ahead, NULL))
		return NULL;
	char *key = malloc((size_t)(ahead.at - s->at) + 1);
	if (key == NULL)
		give_up(s, POSITION_NO_MEMORY);
	else
		scan_string(s, key);
	return key;
}

static bool scan_value(struct scanner *s, const char *pointer);

static bool scan_member(struct scanner *s, const char *pointer)
{
	skip_space(s);
	struct place place = place_of_next(s);
	char *key = skip_byte(s, '"') ? scan_key(s) : NULL;
	if (key == NULL)
		return false;
	if (!skip_byte(s, ':')) {
		free(key);
		return false;
	}
	char *inner = position_join(pointer, key);
	return add_entry(s, inner, key, place) && scan_value(s, inner);
}

static bool scan_item(struct scanner *s, const char *pointer, size_t index)
{
	char number[24];
	snprintf(number, sizeof(number), "%zu", index);
	char *inner = position_join(pointer, number);
	return add_entry(s, inner, NULL, (struct place){0, 0}) && scan_value(s, inner);
}

/* The inside of an object or array, behind its first bracket. */
static bool scan_inside(struct scanner *s, const char *pointer, bool object)
{
	char close = object ? '}' : ']';
	if (s->depth >= POSITION_DEPTH_MAX) {
		s->at--; /* the bracket is what is wrong */
		return give_up(s, POSITION_TOO_DEEP);
	}
	if (skip_byte(s, close))
		return true;
	s->depth++;
	for (size_t i = 0;; i++) {
		if (!(object ? scan_member(s, pointer) : scan_item(s, pointer, i)))
			return false;
		if (!skip_byte(s, ','))
			break;
	}
	s->depth--;
	return skip_byte(s, close);
}

static bool scan_value(struct scanner *s, const char *pointer)
{
	if (skip_byte(s, '{'))
		return scan_inside(s, pointer, true);
	if (skip_byte(s, '['))
		return scan_inside(s, pointer, false);
	if (skip_byte(s, '"'))
		return scan_string(s, NULL);
	const char *start = s->at;
	while (s->at < s->end && !is_one_of(*s->at, ",]} \t\r\n"))
		s->at++;
	return s->at > start;
}

static int compare(const void *a, const void *b)
{
	const struct entry *x = a;
	const struct entry *y = b;
	int order = strcmp(x->pointer, y->pointer);
	return order != 0 ? order : (x->order > y->order) - (x->order < y->order);
}

/* Comments (keys that begin with "//") may stand as often as one likes. */
static bool is_repeated(const struct positions *p, size_t i)
{
	return i > 0 && p->entries[i].key != NULL && strncmp(p->entries[i].key, "//", 2) != 0 &&
	       strcmp(p->entries[i].pointer, p->entries[i - 1].pointer) == 0;
}

static bool find_repeated(struct positions *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++)
		n += is_repeated(p, i);
	if (n == 0)
		return true;
	p->repeated = calloc(n, sizeof(*p->repeated));
	if (p->repeated == NULL)
		return false;
	size_t first = 0;
	for (size_t i = 0; i < p->n; i++)
		if (is_repeated(p, i))
			p->repeated[p->n_repeated++] = (struct repeat){i, first};
		else
			first = i;
	return true;
}

enum position_status position_scan(struct positions **ret, const char *text, size_t len,
				   struct place *where)
{
	*ret = NULL;
	struct positions *p = calloc(1, sizeof(*p));
	if (p == NULL)
		return POSITION_NO_MEMORY;
	struct scanner s = {
		.at = text, .end = text + len, .counted = text, .line = 1, .column = 1, .out = p};
	char *root = strdup("");
	if (add_entry(&s, root, NULL, (struct place){0, 0}))
		scan_value(&s, root);
	if (p->n > 0)
		qsort(p->entries, p->n, sizeof(*p->entries), compare);
	if (s.status == POSITION_OK && !find_repeated(p))
		s.status = POSITION_NO_MEMORY;
	if (where != NULL)
		*where = s.trouble;
	if (s.status != POSITION_OK)
		p = position_free(p);
	*ret = p;
	return s.status;
}

struct positions *position_free(struct positions *p)
{
	if (p == NULL)
		return NULL;
	for (size_t i = 0; i < p->n; i++) {
		free(p->entries[i].pointer);
		free(p->entries[i].key);
	}
	free(p->entries);
	free(p->repeated);
	free(p);
	return NULL;
}

/* The last entry with this pointer of `len` bytes, or NULL. */
static const struct entry *find(const struct positions *p, const char *pointer, size_t len)
{
	size_t low = 0, high = p->n;
	while (low < high) { /* the first entry that is greater */
		size_t mid = low + (high - low) / 2;
		int order = strncmp(p->entries[mid].pointer, pointer, len);
		if (order == 0 && p->entries[mid].pointer[len] != '\0')
			order = 1;
		if (order <= 0)
			low = mid + 1;
		else
			high = mid;
	}
	const struct entry *e = low > 0 ? &p->entries[low - 1] : NULL;
	bool same = e != NULL && strncmp(e->pointer, pointer, len) == 0 && e->pointer[len] == '\0';
	return same ? e : NULL;
}

static const struct entry *find_nearest(const struct positions *p, const char *pointer)
{
	size_t len = strlen(pointer);
	const struct entry *e = NULL;
	while (p != NULL && (e = find(p, pointer, len)) == NULL && len > 0)
		do
			len--;
		while (len > 0 && pointer[len] != '/');
	return e;
}

struct place position_of_value(const struct positions *p, const char *pointer)
{
	const struct entry *e = find_nearest(p, pointer);
	return e != NULL ? e->value_place : (struct place){0, 0};
}

struct place position_of_key(const struct positions *p, const char *pointer)
{
	const struct entry *e = find_nearest(p, pointer);
	if (e == NULL)
		return (struct place){0, 0};
	return e->key != NULL && strcmp(e->pointer, pointer) == 0 ? e->key_place : e->value_place;
}

size_t position_duplicates(const struct positions *p)
{
	return p->n_repeated;
}

struct duplicate position_duplicate(const struct positions *p, size_t i)
{
	const struct entry *at = &p->entries[p->repeated[i].at];
	return (struct duplicate){
		.pointer = at->pointer,
		.key = at->key,
		.place = at->key_place,
		.first = p->entries[p->repeated[i].first].key_place,
	};
}

char *position_join(const char *pointer, const char *key)
{
	size_t n = strlen(pointer);
	char *joined = malloc(n + 2 * strlen(key) + 2);
	if (joined == NULL)
		return NULL;
	memcpy(joined, pointer, n);
	joined[n++] = '/';
	for (; *key != '\0'; key++) {
		if (*key == '~' || *key == '/') {
			joined[n++] = '~';
			joined[n++] = *key == '~' ? '0' : '1';
		} else {
			joined[n++] = *key;
		}
	}
	joined[n] = '\0';
	return joined;
}
