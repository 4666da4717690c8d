// See code.h. What does not look like ELF for x86-64 repeats nothing.

#include "code.h"

#include <elf.h>
#include <string.h>

// Reads size bytes; false when they are not there.
static bool read_at(FILE *file, uint64_t offset, void *ret_bytes, size_t size)
{
    return offset <= INT64_MAX && fseeko(file, (off_t)offset, SEEK_SET) == 0 &&
           fread(ret_bytes, 1, size, file) == size;
}

// Where in the file an address is; 0: nowhere.
static uint64_t find_offset(FILE *file, uint64_t address)
{
    Elf64_Ehdr head;
    Elf64_Phdr part;
    if (!read_at(file, 0, &head, sizeof head) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0 ||
        head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_machine != EM_X86_64)
        return 0;
    for (size_t i = 0; i < head.e_phnum; i++)
        if (read_at(file, head.e_phoff + i * sizeof part, &part, sizeof part) &&
            part.p_type == PT_LOAD && address >= part.p_vaddr &&
            address - part.p_vaddr < part.p_filesz)
            return part.p_offset + (address - part.p_vaddr);
    return 0;
}

bool code_repeats(code_t *self, const char *object, uint64_t address)
{
    unsigned char bytes[4] = {0}; // prefixes in any order, then REX, then the operation
    if (self->object != object) {
        code_close(self);
        self->object = object;
        self->file = fopen(object, "re");
    }
    uint64_t offset = self->file ? find_offset(self->file, address) : 0;
    if (offset == 0 || !read_at(self->file, offset, bytes, sizeof bytes))
        return false;
    size_t at = 0;
    bool repeats = false;
    for (; at < 2 && (bytes[at] == 0xf2 || bytes[at] == 0xf3 || bytes[at] == 0x66); at++)
        repeats = repeats || bytes[at] != 0x66;
    at += (bytes[at] & 0xf0) == 0x40;
    // movs and cmps; stos, lods and scas
    return repeats &&
           ((bytes[at] >= 0xa4 && bytes[at] <= 0xa7) || (bytes[at] >= 0xaa && bytes[at] <= 0xaf));
}

void code_close(code_t *self)
{
    if (self->file)
        (void)fclose(self->file);
    *self = (code_t){0};
}
