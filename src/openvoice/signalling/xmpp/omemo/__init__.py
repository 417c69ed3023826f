"""The OMEMO device of an account (XEP-0384 0.3, namespace ``eu.siacs.conversations.axolotl``)."""
