# torch.nn.functional where it is more than one operator of the same name.
