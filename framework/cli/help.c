/* SPDX-License-Identifier: BSD-2-Clause */
#include "help.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "output.h"
#include "suggest.h"

struct help {
	const char *command;
	const char *text;
};

static const char help_program[] =
	"Usage: vpncore COMMAND [ARGUMENT...]\n"
	"\n"
	"Builds VPN pipelines from plugins, as a JSON manifest describes them.\n"
	"\n"
	"Commands:\n"
	"  run FILE          bring the pipeline of a manifest up and carry traffic\n"
	"  check FILE...     say everything that is wrong with manifests\n"
	"  graph FILE        draw the pipeline of a manifest\n"
	"  plugin list       list the components that plugins bring\n"
	"  plugin show ID    describe a component: options, defaults, counters\n"
	"  keygen, psk       make a private or a preshared key for WireGuard\n"
	"  pubkey [FILE]     print the public key of a private one\n"
	"  import FILE       turn a wg-quick file into a manifest\n"
	"  wg IFNAME         start an interface that wg(8) configures, like wireguard-go\n"
	"  cleanup [NAME...] undo what pipelines that are gone have left\n"
	"  help [COMMAND]    show the help of a command\n"
	"\n"
	"Options:\n"
	"  -h, --help        show this text\n"
	"  -V, --version     show the versions of the program and of its plugin ABI\n"
	"\n"
	"Environment:\n"
	"  VPNCORE_PLUGIN_PATH  directories searched for plugins before the built-in one,\n"
	"                       absolute, separated by colons\n"
	"\n"
	"Exit status: 0 success, 1 failure at run time, 2 a wrong manifest or command line.\n"
	"\n"
	"'vpncore COMMAND --help' says more. See also vpncore(1) and vpncore.json(5).\n";

static const char help_run[] =
	"Usage: vpncore run [OPTION...] FILE\n"
	"\n"
	"Checks the manifest FILE, brings its pipeline up and carries traffic in the\n"
	"foreground until SIGTERM or SIGINT. Nothing is touched when the manifest is wrong.\n"
	"\n"
	"Options:\n"
	"  -l, --log-level LEVEL  error, warn, info or debug; otherwise as the manifest\n"
	"                         says, or info\n"
	"      --log-format FORM  text or json; otherwise as the manifest says, or text\n"
	"  -h, --help             show this text\n"
	"\n"
	"Signals: SIGTERM and SIGINT stop in good order, SIGUSR1 prints the counters.\n"
	"Under systemd, READY=1 is sent when the pipeline is up (Type=notify).\n"
	"\n"
	"Examples:\n"
	"  vpncore run site-a.json\n"
	"  vpncore run --log-level debug site-a.json\n"
	"  kill -USR1 \"$(pidof vpncore)\"\n";

static const char help_check[] =
	"Usage: vpncore check [OPTION...] FILE...\n"
	"\n"
	"Reads manifests, loads the plugins that they name and checks everything that can\n"
	"be checked without changing the system. Prints each problem on stderr as\n"
	"FILE:LINE:COLUMN: /json/pointer: text, and one line on stdout for a good file.\n"
	"\n"
	"Options:\n"
	"  -p, --platform NAME  check for that system, which need not be this one: linux,\n"
	"                       freebsd, openbsd, netbsd, dragonfly, macos\n"
	"  -q, --quiet          print nothing about good files\n"
	"  -v, --verbose        say as well what \"auto\" takes on this machine and why, and\n"
	"                       why not the others\n"
	"  -h, --help           show this text\n"
	"\n"
	"Exit status: 0 when every file is good, 2 when one is not.\n"
	"\n"
	"Examples:\n"
	"  vpncore check --verbose site-a.json\n"
	"  vpncore check --quiet manifests/*.json && echo all good\n";

static const char help_graph[] =
	"Usage: vpncore graph [OPTION...] FILE\n"
	"\n"
	"Draws the pipeline of the manifest FILE: its stages, what each adds to a packet,\n"
	"and the MTU that follows.\n"
	"\n"
	"Options:\n"
	"  -f, --format FORM  text (the default) or dot, for Graphviz\n"
	"  -h, --help         show this text\n"
	"\n"
	"Examples:\n"
	"  vpncore graph site-a.json\n"
	"  vpncore graph --format dot site-a.json | dot -Tsvg > site-a.svg\n";

static const char help_plugin[] =
	"Usage: vpncore plugin list [OPTION...]\n"
	"       vpncore plugin show [OPTION...] ID\n"
	"\n"
	"Tells what the installed plugins can do.\n"
	"\n"
	"Commands:\n"
	"  list  list the components that can be used, and the files that were refused\n"
	"  show  describe one component: options, defaults, counters\n"
	"\n"
	"Options:\n"
	"  -h, --help  show this text\n"
	"\n"
	"Examples:\n"
	"  vpncore plugin list\n"
	"  vpncore plugin show udp\n";

static const char help_plugin_list[] =
	"Usage: vpncore plugin list [OPTION...]\n"
	"\n"
	"Lists the components of all plugins of the search path: kind, id, version, path\n"
	"and summary. On a terminal each takes two lines; otherwise one, with a heading.\n"
	"Files that were refused go to stderr with the reason.\n"
	"\n"
	"Options:\n"
	"  -j, --json  print JSON: an object with \"components\" and \"refused\"\n"
	"  -h, --help  show this text\n"
	"\n"
	"Examples:\n"
	"  vpncore plugin list\n"
	"  vpncore plugin list --json | jq -r '.components[].id'\n";

static const char help_plugin_show[] =
	"Usage: vpncore plugin show [OPTION...] ID\n"
	"\n"
	"Describes the component ID: what it is, what it can do, its options with their\n"
	"types, ranges and defaults, and what it counts.\n"
	"\n"
	"Options:\n"
	"  -k, --kind KIND    device, transport, routes or dns, where ID is not of one kind\n"
	"                     only\n"
	"  -p, --plugin FILE  look into this plugin file, not into the plugin directories\n"
	"  -j, --json         print JSON\n"
	"  -h, --help         show this text\n"
	"\n"
	"Examples:\n"
	"  vpncore plugin show udp\n"
	"  vpncore plugin show --plugin ./transport-xor.so org.example.xor\n"
	"  vpncore plugin show --json udp | jq -r '.options[].name'\n";

static const char help_keygen[] =
	"Usage: vpncore keygen [OPTION...]\n"
	"\n"
	"Makes a random private key for WireGuard and prints it in base64, as 'wg genkey'\n"
	"does.\n"
	"\n"
	"Options:\n"
	"  -o, --output FILE  write it to a new file of mode 0600 instead\n"
	"  -h, --help         show this text\n"
	"\n"
	"Examples:\n"
	"  vpncore keygen -o wg0.key && vpncore pubkey wg0.key\n"
	"  (umask 077; vpncore keygen | tee wg0.key | vpncore pubkey)\n";

static const char help_psk[] =
	"Usage: vpncore psk [OPTION...]\n"
	"\n"
	"Makes a random preshared key for WireGuard and prints it in base64, as 'wg genpsk'\n"
	"does. Both peers get the same one.\n"
	"\n"
	"Options:\n"
	"  -o, --output FILE  write it to a new file of mode 0600 instead\n"
	"  -h, --help         show this text\n"
	"\n"
	"Examples:\n"
	"  vpncore psk -o wg0.peer1.psk\n";

static const char help_pubkey[] =
	"Usage: vpncore pubkey [OPTION...] [FILE]\n"
	"\n"
	"Reads a private key in base64 from FILE, or from standard input, and prints the\n"
	"public key that belongs to it, as 'wg pubkey' does.\n"
	"\n"
	"Options:\n"
	"  -h, --help  show this text\n"
	"\n"
	"Examples:\n"
	"  vpncore pubkey wg0.key\n"
	"  vpncore pubkey < wg0.key\n";

static const char help_import[] =
	"Usage: vpncore import [OPTION...] FILE\n"
	"\n"
	"Turns FILE, written for wg-quick(8) (- is standard input), into a manifest. Without\n"
	"-o the manifest goes to standard output, keys included. What vpncore cannot carry\n"
	"out is told as a warning with its place; a file with errors gives no manifest.\n"
	"\n"
	"Options:\n"
	"  -o, --output OUT.json  write OUT.json, OUT.key with the private key, and\n"
	"                         OUT.peerN.psk with preshared keys, all of mode 0600; all or\n"
	"                         nothing\n"
	"  -f, --force            replace those files where they exist\n"
	"  -h, --help             show this text\n"
	"\n"
	"Exit status: 0 written, 1 a file cannot be read or written, 2 FILE is wrong.\n"
	"\n"
	"Examples:\n"
	"  vpncore import -o wg0.json /etc/wireguard/wg0.conf && vpncore check wg0.json\n";

static const char help_wg[] =
	"Usage: vpncore wg [OPTION...] IFNAME\n"
	"       vpncore-wg [OPTION...] IFNAME\n"
	"\n"
	"Starts the WireGuard interface IFNAME, which wg(8) configures, and goes into the\n"
	"background when interface and socket are ready, as wireguard-go does. %d in IFNAME\n"
	"stands for the first free number. It ends, with status 0, when the interface or\n"
	"/var/run/wireguard/IFNAME.sock is deleted.\n"
	"\n"
	"Options:\n"
	"  -f, --foreground   stay in the foreground\n"
	"  -m, --path-mtu N   largest packet of the paths to the peers, 1360 to 65535 bytes:\n"
	"                     the interface begins with an MTU of N - 80, and cannot be set\n"
	"                     to more; otherwise it begins with 1420, and N is the largest\n"
	"                     MTU of this machine's interfaces, 9216 at most\n"
	"  -h, --help         show this text\n"
	"\n"
	"Environment:\n"
	"  LOG_LEVEL              verbose, error (otherwise) or silent\n"
	"  WG_PROCESS_FOREGROUND  1: stay in the foreground\n"
	"  WG_TUN_FD, WG_UAPI_FD  descriptors of a TUN device and of a listening socket that\n"
	"                         were opened already\n"
	"  WG_TUN_NAME_FILE       file to write the interface's name to\n"
	"\n"
	"Examples:\n"
	"  vpncore wg wg0 && wg setconf wg0 wg0.conf\n"
	"  WG_QUICK_USERSPACE_IMPLEMENTATION=vpncore-wg wg-quick up wg0\n";

static const char help_cleanup[] =
	"Usage: vpncore cleanup [OPTION...] [NAME...]\n"
	"\n"
	"Undoes the changes of the system (routes, rules, resolv.conf) that the pipelines\n"
	"NAME, or all, have left when they died and nobody has undone them since. Pipelines\n"
	"that run are left alone. What others have changed meanwhile stays as it is.\n"
	"\n"
	"Options:\n"
	"  -a, --all     undo as well what stays on purpose, such as a kill switch that is\n"
	"                locked down\n"
	"  -f, --forget  forget what cannot be undone: its plugin or its network namespace\n"
	"                is gone\n"
	"  -l, --list    say what there is, and undo nothing\n"
	"  -h, --help    show this text\n"
	"\n"
	"Exit status: 0 when nothing is left, 1 when something could not be undone.\n"
	"\n"
	"Examples:\n"
	"  vpncore cleanup --list\n"
	"  vpncore cleanup\n"
	"  vpncore cleanup --all site-a\n";

static const struct help helps[] = {
	{"", help_program},
	{"run", help_run},
	{"check", help_check},
	{"graph", help_graph},
	{"plugin", help_plugin},
	{"plugin list", help_plugin_list},
	{"plugin show", help_plugin_show},
	{"keygen", help_keygen},
	{"psk", help_psk},
	{"pubkey", help_pubkey},
	{"import", help_import},
	{"wg", help_wg},
	{"cleanup", help_cleanup},
};

bool help_print(const char *command)
{
	for (size_t i = 0; i < sizeof(helps) / sizeof(helps[0]); i++) {
		if (strcmp(command, helps[i].command) == 0) {
			fputs(helps[i].text, stdout);
			return true;
		}
	}
	return false;
}

/* "vpncore plugin list", the way that the command is called. */
static void put_command(const char *command)
{
	fprintf(stderr, "vpncore%s%s", command[0] == '\0' ? "" : " ", command);
}

static int see_help(const char *command)
{
	fputs("Try '", stderr);
	put_command(command);
	fputs(" --help'.\n", stderr);
	return STATUS_REFUSED;
}

int help_refuse(const char *command, const char *format, ...)
{
	char text[512];
	va_list ap;
	va_start(ap, format);
	vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	put_command(command);
	fputs(": ", stderr);
	output_line(stderr, text);
	return see_help(command);
}

const char *help_nearest(const char *word, const char *const *known)
{
	struct suggest s;
	suggest_init(&s, word);
	for (size_t i = 0; known[i] != NULL; i++)
		suggest_offer(&s, known[i]);
	return s.best;
}

int help_refuse_word(const char *command, const char *what, const char *word,
		     const char *const *known)
{
	const char *near = help_nearest(word, known);
	if (near != NULL)
		return help_refuse(command, "unknown %s \"%s\"; did you mean \"%s\"?", what, word,
				   near);
	return help_refuse(command, "unknown %s \"%s\"", what, word);
}

static int refuse_long(const char *command, const char *word, const struct option *known)
{
	char names[16][32];
	const char *list[17] = {0};
	char given[64];
	size_t len = strcspn(word, "=");
	size_t n_alike = 0;
	for (size_t i = 0; i < 16 && known[i].name != NULL; i++) {
		snprintf(names[i], sizeof(names[i]), "--%s", known[i].name);
		list[i] = names[i];
		n_alike += strncmp(names[i], word, len) == 0;
	}
	snprintf(given, sizeof(given), "%.*s", len < sizeof(given) ? (int)len : 0, word);
	if (n_alike > 1)
		return help_refuse(command, "option \"%s\" could be one of several", given);
	return help_refuse_word(command, "option", given, list);
}

int help_refuse_option(const char *command, int answer, char *const *argv,
		       const struct option *known)
{
	if (optopt == 0)
		return refuse_long(command, argv[optind - 1], known);
	for (size_t i = 0; known[i].name != NULL; i++)
		if (known[i].val == optopt)
			return help_refuse(command, "option --%s %s value", known[i].name,
					   answer == ':' ? "needs a" : "takes no");
	return help_refuse(command, "unknown option \"-%c\"", optopt);
}
