#include "hostile.h"
#include "channel.h"
const struct trick_kind *trick_by_name(const char *name) { (void)name; return NULL; }
void tricks_help(void) { }
void hostile_opened(struct channel *chan) { (void)chan; }
void hostile_packet(struct channel *chan) { (void)chan; }
void hostile_closed(struct channel *chan) { (void)chan; }
