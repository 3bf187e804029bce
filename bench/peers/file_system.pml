/* 32 inodes and 26 blocks, each with a lock; task i takes a free block for its inode. -DN=26 */
#define INODES 32
#define BLOCKS 26

bit inode_lock[INODES];
bit block_lock[BLOCKS];
byte inode[INODES];
bit busy[BLOCKS];

active [N] proctype task() {
    byte i = _pid % INODES;
    byte b = (2 * _pid) % BLOCKS;
    atomic { inode_lock[i] == 0 -> inode_lock[i] = 1 };
    if
    :: inode[i] == 0 ->
        do
        :: atomic { block_lock[b] == 0 -> block_lock[b] = 1 };
           if
           :: busy[b] == 0 ->
               busy[b] = 1;
               inode[i] = b + 1;
               block_lock[b] = 0;
               break
           :: else ->
               d_step { block_lock[b] = 0; b = (b + 1) % BLOCKS }
           fi
        od
    :: else
    fi;
    inode_lock[i] = 0
}
