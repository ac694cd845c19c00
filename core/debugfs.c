// SPDX-License-Identifier: GPL-2.0
/*
 * A folder for each channel, from its first VmbChannelEnable() until VmbChannelCleanup(),
 * in /sys/kernel/debug/vmbkmcl/, which is root's.
 *
 * debugfs itself lets no reader begin once a file is being removed, and the removal waits
 * for those that have begun. They wait for nothing but locks that are held for moments.
 */
#include <linux/ctype.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/seq_file.h>

#include "data.h"
#include "debugfs.h"

static struct dentry *kmcl_debugfs_top;

/* Guards the list. No reader of a file takes it. */
static DEFINE_MUTEX(kmcl_debugfs_lock);
static LIST_HEAD(kmcl_debugfs_channels);

/* Guards kmcl_latency.on. */
static DEFINE_MUTEX(kmcl_latency_lock);

static int status_show(struct seq_file *m, void *unused)
{
	kmcl_report(m, m->private, false);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(status);

static int json_show(struct seq_file *m, void *unused)
{
	kmcl_report(m, m->private, true);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(json);

static int latency_show(struct seq_file *m, void *unused)
{
	const struct kmcl_channel *chan = m->private;
	u32 i;

	seq_puts(m, READ_ONCE(chan->latency.on) ? "on\n" : "off\n");
	for (i = 0; i < KMCL_LATENCIES; i++)
		seq_printf(m, "%s%lu us: %llu\n", i < KMCL_LATENCIES - 1 ? "<" : ">=",
			   1ul << (i < KMCL_LATENCIES - 1 ? i : i - 1),
			   READ_ONCE(chan->latency.count[i]));
	return 0;
}

static int latency_open(struct inode *inode, struct file *file)
{
	return single_open(file, latency_show, inode->i_private);
}

/* Times are taken as long as one channel wants them. What was counted before is over. */
static void kmcl_debugfs_set_latency(struct kmcl_channel *chan, bool on)
{
	u32 i;

	mutex_lock(&kmcl_latency_lock);
	if (on && !chan->latency.on) {
		for (i = 0; i < KMCL_LATENCIES; i++)
			WRITE_ONCE(chan->latency.count[i], 0);
		kmcl_timing_get();
	} else if (!on && chan->latency.on) {
		kmcl_timing_put();
	}
	WRITE_ONCE(chan->latency.on, on);
	mutex_unlock(&kmcl_latency_lock);
}

static ssize_t latency_write(struct file *file, const char __user *text, size_t len, loff_t *pos)
{
	struct seq_file *m = file->private_data;
	bool on;
	int err;

	err = kstrtobool_from_user(text, len, &on);
	if (err)
		return err;
	kmcl_debugfs_set_latency(m->private, on);
	return len;
}

static const struct file_operations latency_fops = {
	.owner = THIS_MODULE,
	.open = latency_open,
	.read = seq_read,
	.write = latency_write,
	.llseek = seq_lseek,
	.release = single_release,
};

/* Called with the lock held. */
static bool kmcl_debugfs_is_taken(const char *name)
{
	const struct kmcl_channel *chan;

	list_for_each_entry(chan, &kmcl_debugfs_channels, debug.node)
		if (!strcmp(chan->debug.name, name))
			return true;
	return false;
}

/*
 * The channel's friendly name, of which only what is harmless in a name of a file and in a
 * shell is kept; with a number, if another channel has it. Called with the lock held.
 */
static void kmcl_debugfs_set_name(struct kmcl_channel *chan)
{
	const char *friendly = chan->set.name[0] ? chan->set.name : "unnamed";
	char base[KMCL_NAME_MAX], *c;
	u32 n;

	strscpy(base, friendly, sizeof(base));
	for (c = base; *c; c++)
		if (!isascii(*c) || !(isalnum(*c) || (c > base && strchr(".-+:@", *c))))
			*c = '_';

	strscpy(chan->debug.name, base, sizeof(chan->debug.name));
	for (n = 2; kmcl_debugfs_is_taken(chan->debug.name); n++)
		snprintf(chan->debug.name, sizeof(chan->debug.name), "%s~%u", base, n);
}

/* The channel was enabled. From its worker; it has the folder that it gets the first time. */
void kmcl_debugfs_add(struct kmcl_channel *chan)
{
	struct dentry *dir;

	if (chan->debug.name[0])
		return;

	mutex_lock(&kmcl_debugfs_lock);
	kmcl_debugfs_set_name(chan);
	list_add(&chan->debug.node, &kmcl_debugfs_channels);
	mutex_unlock(&kmcl_debugfs_lock);

	/* Where that fails there is no folder, and all else goes on. */
	dir = debugfs_create_dir(chan->debug.name, kmcl_debugfs_top);
	debugfs_create_file("status", 0400, dir, chan, &status_fops);
	debugfs_create_file("json", 0400, dir, chan, &json_fops);
	debugfs_create_file("latency", 0600, dir, chan, &latency_fops);
	chan->debug.dir = dir;
}

/* The channel is disabled for good: when this returns no reader looks at it. */
void kmcl_debugfs_remove(struct kmcl_channel *chan)
{
	if (!chan->debug.name[0])
		return;

	/* Not under the lock: a reader may take its time over the copy to user space. */
	debugfs_remove(chan->debug.dir);
	kmcl_debugfs_set_latency(chan, false);
	mutex_lock(&kmcl_debugfs_lock);
	list_del(&chan->debug.node);
	mutex_unlock(&kmcl_debugfs_lock);
}

void kmcl_debugfs_init(void)
{
	kmcl_debugfs_top = debugfs_create_dir(KBUILD_MODNAME, NULL);
	/* So is what debugfs is mounted on, unless somebody has opened that to others. */
	if (!IS_ERR(kmcl_debugfs_top))
		d_inode(kmcl_debugfs_top)->i_mode = S_IFDIR | 0700;
}

void kmcl_debugfs_exit(void)
{
	debugfs_remove(kmcl_debugfs_top);
}
