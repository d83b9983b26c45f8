//! What a person or a script reads: the sections of `crm_mon`, in several formats.
